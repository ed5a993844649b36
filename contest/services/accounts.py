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


def take_passwords_of_unconfirmed(users: Iterable[User]) -> None:
    """Accounts of whose address nobody has shown that it is theirs lose their password.

    Somebody may have signed up with another's address. If its owner, told that they are in a team
    now, confirmed it, whoever chose the password would be let in. Staff accounts are made by hand.
    """
    users = {user.pk: user for user in users}
    confirmed = EmailAddress.objects.filter(user__in=users, verified=True)
    for pk in users.keys() - set(confirmed.values_list("user_id", flat=True)):
        user = users[pk]
        if user.has_usable_password() and not user.is_staff:
            user.set_unusable_password()
            user.save(update_fields=["password"])
