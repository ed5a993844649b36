"""What the endpoints of all three apps are built from."""

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.utils import OpenApiResponse
from rest_framework import mixins, serializers, status
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet


class ProblemSerializer(serializers.Serializer):
    """Why a request was refused: a stable code for programs, a sentence for people."""

    code = serializers.CharField()
    detail = serializers.CharField()


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class CloseSerializer(serializers.Serializer):
    missing = serializers.IntegerField(min_value=0, required=False, default=0)


REFUSED = OpenApiResponse(ProblemSerializer, "A rule of the competition forbids it.")


class ScopedField(serializers.PrimaryKeyRelatedField):
    """An object by its id, of those that ``scope(user)`` gives; others do not exist."""

    def __init__(self, scope, **kwargs):
        self.scope = scope
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", scope(AnonymousUser()))
        super().__init__(**kwargs)

    def get_queryset(self):
        return self.scope(self.context["request"].user)


def assign_fields(instance, data: dict):
    for name, value in data.items():
        setattr(instance, name, value)
    return instance


class WithServices(mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet):
    """Lists and single objects; what is written goes through ``self.save(instance)``."""

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def answer(self, instance, code=status.HTTP_200_OK):
        """The object as this reader may see it."""
        return Response(self.get_serializer(instance).data, status=code)

    def valid(self, data, serializer=None, **kwargs):
        serializer = serializer or self.get_serializer_class()
        checked = serializer(data=data, context=self.get_serializer_context(), **kwargs)
        checked.is_valid(raise_exception=True)
        return checked.validated_data

    def reason(self) -> str:
        return self.valid(self.request.data, ReasonSerializer)["reason"]
