"""The hidden fields against abuse, for every form that anybody may send."""

from wtforms import StringField

from petitions.services.signing.admission import is_automatic
from petitions.web.forms.person import PublicForm


class GuardedForm(PublicForm):
    """A form with a honeypot, the time that filling in took, and a proof of work if one was asked for."""

    proof = StringField()
    remark = StringField()  # a honeypot: hidden, with a name that neither browsers nor password managers fill in
    elapsed = StringField()

    @property
    def is_automatic(self) -> bool:
        """Whether a program may have filled in the form; it then needs a proof of work."""
        said = self.elapsed.data or ""
        elapsed_ms = int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None
        return is_automatic(self.remark.data or "", elapsed_ms)
