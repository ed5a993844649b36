def register(router) -> None:
    """Add this app's endpoints to the API's router."""
