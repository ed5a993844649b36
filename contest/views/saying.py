from django.contrib import messages


def say(request, error) -> None:
    """Show on the next page what a service refused."""
    for message in error.messages:
        messages.error(request, message)
