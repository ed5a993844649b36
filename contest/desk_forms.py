"""Forms of the organizer's desk."""

from django import forms
from django.utils.translation import gettext_lazy as _

from contest.models import Event, Round, Track


class DateTimeLocal(forms.DateTimeInput):
    """The browser's own picker; times are those of the event's zone, which the view activates."""

    input_type = "datetime-local"

    def __init__(self):
        super().__init__(format="%Y-%m-%dT%H:%M")


class WithinEvent(forms.ModelForm):
    """A form of something in an event that is known already and not asked for.

    The event is on no form, and yet short names must be unique within it.
    """

    def _get_validation_exclusions(self):
        return super()._get_validation_exclusions() - {"event"}


class EventForm(forms.ModelForm):
    class Meta:
        model = Event
        fields = [
            "name_zh",
            "name_en",
            "slug",
            "organiser_zh",
            "organiser_en",
            "description_zh",
            "description_en",
            "time_zone",
            "registration_opens",
            "registration_closes",
            "max_members",
            "signatures",
        ]
        widgets = {
            "registration_opens": DateTimeLocal(),
            "registration_closes": DateTimeLocal(),
            "description_zh": forms.Textarea(attrs={"rows": 4}),
            "description_en": forms.Textarea(attrs={"rows": 4}),
        }


class OrganizerForm(forms.Form):
    email = forms.EmailField(label=_("E-mail of the person's account"))


class TrackForm(WithinEvent):
    class Meta:
        model = Track
        fields = [
            "name_zh",
            "name_en",
            "slug",
            "parent",
            "code_prefix",
            "ordinal",
            "description_zh",
            "description_en",
        ]
        widgets = {
            "description_zh": forms.Textarea(attrs={"rows": 3}),
            "description_en": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        others = Track.objects.filter(event=self.instance.event)
        if self.instance.pk:
            below = [track.pk for track in self.instance.with_descendants()]
            others = others.exclude(pk__in=below)
        self.fields["parent"].queryset = others


class RoundForm(WithinEvent):
    class Meta:
        model = Round
        fields = [
            "name_zh",
            "name_en",
            "slug",
            "track",
            "ordinal",
            "kind",
            "format",
            "opens_at",
            "closes_at",
            "freeze_at",
            "board",
            "quota_per_day",
            "quota_total",
            "quota_total_mb",
            "max_upload_mb",
        ]
        widgets = {
            "opens_at": DateTimeLocal(),
            "closes_at": DateTimeLocal(),
            "freeze_at": DateTimeLocal(),
        }

    def __init__(self, *args, event: Event, **kwargs):
        self.event = event
        super().__init__(*args, **kwargs)
        self.instance.event = event
        self.fields["track"].queryset = event.tracks.all()
        if self.instance.pk:
            # What teams already rely on stays: their round, its place and how it is scored.
            for name in ("track", "format"):
                self.fields[name].disabled = self.instance.participations.exists()


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea({"rows": 2}))


class TableForm(forms.Form):
    file = forms.FileField(
        label=_("Table (CSV or XLSX)"),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,.txt,.tsv"}),
    )
