"""M7, M11, M12: entries by others change nobody's page, keep nobody from signing, and send no words to anyone."""

import json
import re

from tests.attacks.outsider import BOUNCE_SECRET, CAMPAIGN, CASE, Outsider, ask, token_of, until

ASK = f"/fr/{CAMPAIGN}/mine"


def test_a_link_goes_only_to_the_address_that_signed(outsider: Outsider) -> None:
    """M11: plus+evil@ a host without aliases is another person's mailbox, and got the link of plus@."""
    outsider.sign_and_confirm("plus@corp.example.org")
    for path, fields in ((ASK, {}), (f"/fr/{CAMPAIGN}/sign", {"first_name": "Ann", "last_name": "Lee", "cases": CASE})):
        for email in ("plus+evil@corp.example.org", "plus@corp.example.org"):  # one after the other leave the outbox
            assert outsider.post(path, **{**fields, "email": email}).status == 303
    true_page = token_of(outsider.own_page(f"/fr/confirm/{newest(outsider, 'plus@corp.example.org', 'confirm')}"))
    outsider.server.mail("plus+evil@corp.example.org")  # somebody typed that address, and it may sign for itself
    for mail in outsider.server.mails("plus+evil@corp.example.org"):
        for link in re.findall(r"http://\S+/(?:confirm|mine)/([\w.-]+)", str(mail)):
            assert link != true_page
            page = outsider.get(f"/fr/confirm/{link}").body
            assert "/fr/mine/" not in page, "a link to the page of plus@ stands there"


def newest(outsider: Outsider, email: str, purpose: str) -> str:
    """The token of the newest link of a kind that this mailbox got."""
    texts = "\n".join(str(mail.get_body(("plain",))) for mail in outsider.server.mails(email))
    return str(re.findall(rf"/{purpose}/([\w.-]+)", texts)[-1])


def strangers_fill(outsider: Outsider, email: str) -> None:
    """Use up the names and the e-mails of a mailbox, as far as an outsider can."""
    for name in ("Mickey", "Donald", "Goofy"):
        assert outsider.sign(email, first_name=name, last_name="Mouse").status == 303
    assert outsider.post(ASK, email=email).status == 303
    until(lambda: len(outsider.server.mails(email)) >= 2)


def test_outsiders_keep_nobody_from_signing(outsider: Outsider) -> None:
    """M7: three forms used up names and e-mails; the owner's form was acknowledged, but not recorded."""
    strangers_fill(outsider, "filled@example.org")
    before = outsider.counts()["cases"][CASE]["confirmed"]
    assert outsider.sign("filled@example.org", first_name="Anna", last_name="Kohl").status == 303
    token = newest(outsider, "filled@example.org", "confirm")  # of any mail that she has
    page = outsider.get(f"/fr/confirm/{token}").body
    assert 'name="last_name"' in page, "she may say which of the entries is hers"
    assert outsider.post(f"/fr/confirm/{token}", first_name="anna", last_name="KOHL").status == 303
    until(lambda: outsider.counts()["cases"][CASE]["confirmed"] == before + 1)
    assert outsider.post(f"/fr/confirm/{token}", first_name="No", last_name="Such").status != 303
    counted = "SELECT count(*) FROM signers WHERE confirmed_at IS NOT NULL AND email_key = (SELECT email_key"
    assert outsider.rows(f"{counted} FROM signers ORDER BY id DESC LIMIT 1)") == [(1,)], "hers, and no stranger's"


def test_dots_and_tags_of_other_people_use_up_nobody_elses_mails(outsider: Outsider) -> None:
    """M7: beyond Google and its like, j.anna@ is not janna@; three such forms kept her mail away for a day."""
    for email in ("j.anna", "ja.nna", "jan.na", "j.a.nna", "janna+1", "janna+2", "janna+3"):
        assert outsider.sign(f"{email}@corp.example.org", first_name="Mickey").status == 303
    assert outsider.sign("janna@corp.example.org").status == 303
    assert outsider.confirm("janna@corp.example.org")


def test_what_bounces_elsewhere_silences_nobody(outsider: Outsider) -> None:
    """M7: someone enters tom+x@ a host without aliases; its bounce suppressed every later e-mail to tom@."""
    for email in ("tom+x@corp.example.org", "t.om@corp.example.org"):
        assert outsider.sign(email, first_name="Mickey").status == 303
        report = ask(f"{outsider.server.url}/api/v1/bounces", {"email": email}, Authorization=f"Bearer {BOUNCE_SECRET}")
        assert report.status == 204
    assert outsider.sign("tom@corp.example.org").status == 303
    assert outsider.confirm("tom@corp.example.org")


def test_no_words_of_other_people_in_a_mail_before_anything_is_confirmed(outsider: Outsider) -> None:
    """M12: the greeting repeated 200 characters of another person's text."""
    first, last = "Konto gesperrt: rufen Sie 00352 621 000 000 oder", "oeffnen Sie konto-hilfe.lu"
    outsider.sign("words@example.org", first_name=first, last_name=last)
    outsider.sign("words@example.org", first_name="Plain", last_name="Zebedaios")
    until(lambda: outsider.server.mails("words@example.org"))
    said = "".join(mail.as_string() for mail in outsider.server.mails("words@example.org"))
    assert not {
        word for word in (*first.split(), *last.split(), "Plain", "Zebedaios") if word in said and len(word) > 4
    }


def test_another_spelling_does_not_tell_whether_the_places_of_a_mailbox_are_taken(outsider: Outsider) -> None:
    """M11: victim+evil@ a host without aliases saw in its data that two had signed with victim@: "invalidated"."""
    stored = []
    for number, host in enumerate(("full.example.org", "empty.example.org")):
        if number == 0:
            outsider.sign_and_confirm(f"victim@{host}", first_name="Vera")
            outsider.sign(f"victim@{host}", first_name="Viktor")
            outsider.confirm(f"victim@{host}", 2)
        page = outsider.sign_and_confirm(f"victim+evil@{host}")
        counted = json.loads(outsider.get(f"{page}/data.json").body)
        assert outsider.post(f"{page}/withdraw", cases=[CASE]).status == 303
        withdrawn = json.loads(outsider.get(f"{page}/data.json").body)
        stored.append(
            [re.sub(r'"\d{4}-[^"]*"', '"a time"', json.dumps(each["signatures"])) for each in (counted, withdrawn)]
        )
    assert stored[0] == stored[1]
