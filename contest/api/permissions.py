from rest_framework.permissions import BasePermission


class DenyByDefault(BasePermission):
    """An endpoint that declares nothing lets nobody in."""

    def has_permission(self, request, view):
        return False


class IsSignedIn(BasePermission):
    def has_permission(self, request, view):
        return bool(request.user and request.user.is_authenticated)
