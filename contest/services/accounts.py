"""People by their e-mail addresses: found, or made."""

from collections.abc import Iterable, Sequence

from allauth.account.models import EmailAddress

from contest.models import User

AT_ONCE = 2000  # addresses in one query


def of_emails(emails: Iterable[str]) -> dict[str, User]:
    """Whose address each is, in small letters: the account's own, or another that its owner has
    confirmed. Addresses of nobody are left out."""
    emails = sorted(set(emails))
    found: dict[str, User] = {}
    for start in range(0, len(emails), AT_ONCE):
        some = emails[start : start + AT_ONCE]
        confirmed = EmailAddress.objects.filter(email__in=some, verified=True)
        for address in confirmed.select_related("user"):
            found[address.email.lower()] = address.user
        for user in User.objects.filter(email__in=some):
            found[user.email] = user
    return found


def make_people(people: Sequence[tuple[str, str]], language: str) -> dict[str, User]:
    """Accounts of ``(e-mail, name)``, none of which is anybody's yet, by their addresses.

    They have no password: whoever reads the mail of the address chooses one, as those do who have
    forgotten theirs.
    """
    made = [User(email=email, name=name, language=language) for email, name in people]
    for user in made:
        user.set_unusable_password()
    User.objects.bulk_create(made)
    return {user.email: user for user in made}
