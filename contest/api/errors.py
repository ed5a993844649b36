from django.core.exceptions import ValidationError
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from contest.errors import OUT_OF_RANGE, Refused, out_of_range_message


def exception_handler(exc, context):
    """Answer rules that services refuse by: 409 for a Refused, 400 for bad fields."""
    if isinstance(exc, Refused):
        return Response(
            {"code": exc.code, "detail": " ".join(str(m) for m in exc.messages)},
            status=status.HTTP_409_CONFLICT,
        )
    if isinstance(exc, ValidationError):
        if hasattr(exc, "error_dict"):
            detail = exc.message_dict
        else:
            detail = {"detail": " ".join(exc.messages), "code": getattr(exc, "code", None)}
        return Response(detail, status=status.HTTP_400_BAD_REQUEST)
    if isinstance(exc, OUT_OF_RANGE):
        return Response(
            {"code": "out_of_range", "detail": str(out_of_range_message())},
            status=status.HTTP_400_BAD_REQUEST,
        )
    return drf_exception_handler(exc, context)
