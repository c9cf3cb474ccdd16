"""Suggests a correction for mistyped domains of well-known mail hosts: a question, never a refusal."""

_HOSTS = (
    "gmail.com googlemail.com hotmail.com hotmail.fr hotmail.de outlook.com outlook.fr outlook.de yahoo.com yahoo.fr "
    "yahoo.de icloud.com live.com live.fr gmx.net gmx.de web.de t-online.de orange.fr wanadoo.fr free.fr laposte.net "
    "pt.lu vo.lu education.lu protonmail.com"
)
_KNOWN = _HOSTS.split()
_REAL = {"mail", "email", "ymail"}  # real hosts, one letter different from a known one
_SHORTEST = 5  # shorter names are one letter different from too many others


def suggestion(email: str) -> str | None:
    """The address with the host that was probably meant; None if nothing looks mistyped."""
    local, _, host = email.rpartition("@")
    host = host.lower()
    if host in _KNOWN:
        return None
    meant = next((known for known in _KNOWN if _is_typo(host, known)), None)
    return f"{local}@{meant}" if meant else None


def _is_typo(host: str, known: str) -> bool:
    name, _, end = host.rpartition(".")
    known_name, _, known_end = known.rpartition(".")
    if end == known_end:
        return name not in _REAL and len(known_name) >= _SHORTEST and _is_one_edit_apart(name, known_name)
    # Two letters are a country code, where the same company may exist
    return name == known_name and (len(end) != 2 or end in ("co", "cm", "om")) and _is_one_edit_apart(end, known_end)


def _is_one_edit_apart(typed: str, meant: str) -> bool:
    """Whether one letter added, missing or replaced, or two swapped letters, are the only difference."""
    shorter, longer = sorted((typed, meant), key=len)
    place = next((n for n, pair in enumerate(zip(shorter, longer, strict=False)) if pair[0] != pair[1]), len(shorter))
    rest, others = shorter[place:], longer[place:]
    if len(shorter) < len(longer):
        return rest == others[1:]
    return rest[1:] == others[1:] or (rest[:2] == others[1::-1] and rest[2:] == others[2:])
