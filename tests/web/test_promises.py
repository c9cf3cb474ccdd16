"""Each sentence about e-mails, secrecy, erasure or consent is a promise, tested here."""

import re
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import now, stopped_at
from petitions.domain.decrypt_export import columns
from petitions.domain.retention import AFTER_DELIVERY, PENDING_LIFETIME
from petitions.models import ConsentVersion, Limit, MailSlot, Signature, Signer, Suppression
from petitions.queries.catalogue import PublicCampaign
from petitions.services.limits import mail_quota, rate_limits
from petitions.services.mailing.outbox import REMIND_AFTER
from tests.support.factories import ANN, EVE, Person, confirm, dump, make_campaign, rows
from tests.web.browsing import (
    LANGUAGES,
    body,
    browser,
    link,
    mails,
    own_links,
    page_of,
    press,
    sign_all,
    sign_one,
    visit,
)

CASE = "/en/water-2026/cases/river/"
A_DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BELLA = Person("Annabella", "Mayr", ANN.email)


def told(app: Flask, path: str = CASE) -> str:
    """What the form says below its button and beside the e-mail address."""
    return visit(browser(app), path).form("/sign").text


def texts(mail: EmailMessage) -> str:
    """All that a mail says, but its addressee."""
    headers = [f"{name}: {value}" for name, value in mail.items() if name != "To"]
    return "\n".join([*headers, body(mail), body(mail, "html")])


def sent_by(app: Flask, moment: datetime) -> list[EmailMessage]:
    """Every mail sent up to `moment`."""
    with stopped_at(moment):
        return mails(app)


# --- how many e-mails ---


def test_one_email_to_confirm_and_at_most_one_reminder(app: Flask, campaign: PublicCampaign) -> None:
    assert "We send you one e-mail to confirm, and at most one reminder." in told(app)
    start = now()
    with stopped_at(start):
        sign_all(browser(app), ["river", "lake"])
    assert len(sent_by(app, start)) == 1
    assert len(sent_by(app, start + REMIND_AFTER - A_DAY)) == 1
    assert len(sent_by(app, start + REMIND_AFTER + A_DAY / 24)) == 2
    for days in range(4, 30):
        assert len(sent_by(app, start + days * A_DAY)) == 2


def test_who_confirmed_gets_no_reminder_and_a_receipt_only_if_asked_for(app: Flask, campaign: PublicCampaign) -> None:
    start = now()
    with stopped_at(start):
        sign_one(browser(app))
        page = visit(browser(app), link(mails(app)[0]))
        [box] = page.all("input", name="receipt")
        assert "checked" not in box.attrs
        press(browser(app), page.form(link(mails(app)[0])))
    assert len(sent_by(app, start + 4 * A_DAY)) == 1


# --- what they say ---


def test_no_email_carries_the_name_of_anybody(app: Flask, campaign: PublicCampaign) -> None:
    start, client = now(), browser(app)
    with stopped_at(start):
        sign_all(client, ["river", "lake"], BELLA)
    sent_by(app, start)
    sent_by(app, start + REMIND_AFTER)
    with stopped_at(start + REMIND_AFTER):
        client.post(link(mails(app)[0]), data={"receipt": "y"})
        sign_all(client, ["river"], BELLA)
        mails(app)
        client.post("/fr/water-2026/mine", data={"email": ANN.email})
        letters = mails(app)
    assert len(letters) >= 4
    for letter in letters:
        assert not {BELLA.first_name, BELLA.last_name} & set(re.findall(r"\w+", texts(letter)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_email_names_the_campaign_and_its_button_says_what_it_does(
    app: Flask, tmp_path: Path, language: str
) -> None:
    make_campaign(app, tmp_path / "campaign", languages=LANGUAGES)
    browser(app).post(f"/{language}/water-2026/sign", data={"first_name": "Ann", "email": ANN.email, "cases": "river"})
    [mail] = mails(app)
    assert f"Water {language}" in body(mail).split("http")[0]
    button = re.search(r'<a href="[^"]*/confirm/[^>]*>([^<]*)<', body(mail, "html"))
    wanted = {"fr": "Confirmer ma signature", "en": "Confirm my signature"}
    wanted |= {"de": "Unterschrift bestätigen", "lb": "Ënnerschrëft confirméieren"}
    assert button is not None
    assert button[1].endswith(wanted[language])


# --- who sees a name, and what is kept ---


def test_the_form_names_who_gets_the_name_and_the_address_is_never_delivered(
    app: Flask, campaign: PublicCampaign
) -> None:
    for path in (CASE, "/en/", "/en/water-2026/sign"):
        whom = "this petition addresses" if path == CASE else "these petitions address"
        assert f"we hand your name to the authorities {whom}, never your e-mail address" in told(app, path)
        assert "outside the European Union" in told(app, path), "all cases are in Belarus"
        assert "only we can read them: A section" in told(app, path)
    assert not [name for name in columns("delivery", "signature") if "mail" in name]


def test_a_petition_within_the_union_does_not_speak_of_countries_outside(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign", countries={"river": "FR", "lake": "LU"})
    assert "outside the European Union" not in told(app)
    assert "Some of them are outside the European Union" in told(app, "/en/")


def test_names_and_addresses_are_stored_encrypted_once_the_email_is_sent(app: Flask, campaign: PublicCampaign) -> None:
    sign_one(browser(app), person=BELLA)
    with app.app_context():
        stored = str(dump())
    assert not [word for word in (BELLA.first_name, BELLA.last_name, BELLA.email) if word in stored]


def test_the_form_says_for_how_long(app: Flask, campaign: PublicCampaign) -> None:
    words = f"We erase both {AFTER_DELIVERY.days} days after the signatures are delivered, no later than 12 months"
    assert words in told(app)
    assert f"We erase both after {PENDING_LIFETIME.days} days if you do not confirm" in told(app)


# --- consent ---


def test_nothing_but_the_cases_is_ticked_and_the_button_says_how_many(demo: Flask) -> None:
    form = visit(browser(demo), "/en/").form("/sign")
    ticked = [box for box in form.all("input", type="checkbox") if "checked" in box.attrs]
    assert len(ticked) == 9
    assert {box["name"] for box in ticked} == {"cases"}
    assert "Sign all 9 petitions" in form.one("button").text


def test_the_words_of_the_form_are_kept_with_the_signature(app: Flask, campaign: PublicCampaign) -> None:
    sign_one(browser(app))
    with app.app_context():
        [signature], texts_kept = rows(Signature), {row.id: row.words for row in rows(ConsentVersion)}
    kept = texts_kept[signature.consent_version_id]
    said = visit(browser(app), "/fr/water-2026/cases/river/").form("/sign").text
    for sentence in kept.splitlines():
        assert " ".join(sentence.split()) in " ".join(said.split())


# --- the name, and the age ---


def test_who_says_so_is_counted_and_not_named_whoever_entered_the_name_before(
    app: Flask, campaign: PublicCampaign
) -> None:
    client = browser(app)
    sign_one(client)  # Eve enters Ann's name and address first
    [box] = visit(client, CASE).all("input", name="unnamed")
    assert "checked" not in box.attrs
    sign_one(client, unnamed="y")
    with app.app_context():
        assert [signer.is_named for signer in rows(Signer)] == [False]
    sign_one(client)  # and cannot undo it
    with app.app_context():
        assert [signer.is_named for signer in rows(Signer)] == [False]


def test_the_own_page_says_whether_the_name_is_delivered_and_changes_it(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    sign_one(client)
    confirm_page = link(mails(app)[0])
    client.post(confirm_page)
    own = next(a["href"] for a in visit(client, confirm_page).all("a") if "/mine/" in a["href"])
    own = own.replace("/fr/", "/en/")
    assert "Your name is handed over to the authorities addressed." in visit(client, own).text
    assert client.post(f"{own}/named", data={"unnamed": "y"}).status_code == 303
    assert "your name is not handed over. Names already handed over cannot be called back." in visit(client, own).text
    assert client.get(f"{own}/data.json").json["is_named"] is False
    press(client, visit(client, own).form("/named"))
    with app.app_context():
        assert [signer.is_named for signer in rows(Signer)] == [False], "the box is ticked where the wish is known"
    client.post(f"{own}/named")
    with app.app_context():
        assert [signer.is_named for signer in rows(Signer)] == [True]


def test_where_only_the_number_is_delivered_the_form_says_so(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign", unnamed=("river",))
    assert "We hand over only the number of signatures: no name and no e-mail address." in told(app)
    assert "we hand your name" not in told(app)
    assert "outside the European Union" not in told(app)
    assert visit(browser(app), CASE).all("input", name="unnamed") == []
    everything = told(app, "/en/")
    assert everything.count("(only the number of signatures is handed over)") == 1
    assert "Where we say so beside a case" in everything
    assert visit(browser(app), "/en/").all("input", name="unnamed")


def test_a_minimum_age_is_asked_for_by_one_box_and_only_where_it_is_set(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign")
    assert visit(browser(app), CASE).all("input", name="of_age") == []
    make_campaign(app, tmp_path / "campaign", minimum_age="16")
    client = browser(app)
    assert "I am at least 16 years old." in told(app)
    refused = page_of(sign_one(client), 422)
    assert "Cochez cette case si vous avez l’âge requis." in refused.one(id="river-of_age-error").text
    with app.app_context():
        assert rows(Signer) == []
    assert sign_one(client, of_age="y").status_code == 303
    with app.app_context():
        [signer], [consent] = rows(Signer), [row for row in rows(ConsentVersion) if "16 ans" in row.words]
    assert (signer.is_of_age, signer.is_named) == (True, True)
    assert "mais ne remettez pas mon nom" in consent.words


def test_words_of_before_stay_with_the_signatures_given_under_them(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign")
    sign_one(browser(app))
    make_campaign(app, tmp_path / "campaign", minimum_age="16")
    sign_one(browser(app), person=EVE, of_age="y")
    with app.app_context():
        words = {row.id: row.words for row in rows(ConsentVersion)}
        before, after = (words[row.consent_version_id] for row in rows(Signature))
    assert "16 ans" not in before
    assert "16 ans" in after


def test_who_adds_cases_reads_the_same_words_and_they_are_kept(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    sign_one(client)
    page = link(mails(app)[0])
    client.post(page)
    said = visit(client, page).form("/more").text
    assert "Si vous confirmez" not in said, "these count at once"
    assert "Si vous ne confirmez pas" not in said
    assert "Nous remettons votre nom aux autorités destinataires, sauf si vous l’avez refusé" in said
    client.post(f"{page}/more", data={"cases": "lake"})
    with app.app_context():
        newest = rows(Signature)[-1]
        [kept] = [row.words for row in rows(ConsentVersion) if row.id == newest.consent_version_id]
    for sentence in kept.splitlines():
        assert " ".join(sentence.split()) in " ".join(said.split())


# --- the privacy notice ---


def notice(app: Flask) -> str:
    """What the privacy page says."""
    return visit(browser(app), "/en/water-2026/privacy").text


def test_the_notice_names_who_gets_names_and_where_they_are(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign")
    assert "The authorities addressed see the names of those who signed." in notice(app)
    assert "outside the European Union" in notice(app)
    make_campaign(app, tmp_path / "campaign", countries=dict.fromkeys(("river", "forest", "lake"), "FR"))
    assert "outside the European Union" not in notice(app)
    make_campaign(app, tmp_path / "campaign", unnamed=("river", "forest", "lake"))
    assert "see the names" not in notice(app)
    assert "To hand the number of confirmed signatures to the authorities addressed: no name" in notice(app)


def test_the_notice_states_what_this_campaign_asks(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign")
    assert "old enough" not in notice(app)
    make_campaign(app, tmp_path / "campaign", minimum_age="16")
    assert "That you said you are old enough to sign." in notice(app)


def test_codes_against_abuse_are_kept_for_a_day_and_never_write_without_end(
    app: Flask, campaign: PublicCampaign
) -> None:
    for words in ("of your IP address until the end of the day", "of your e-mail address for a day", "without end"):
        assert words in notice(app)
    client, start = browser(app), now()
    with stopped_at(start):
        sign_one(client)
        stop = own_links(mails(app)[0])[-1]
        assert client.post(stop).status_code == 200
    with app.app_context():
        assert rows(Limit)
        assert rows(MailSlot)
        with stopped_at(start + A_DAY + HOUR):
            rate_limits.purge()
            mail_quota.purge()
        assert (rows(Limit), rows(MailSlot)) == ([], [])
        assert len(rows(Suppression)) == 1


def test_whose_address_is_never_written_to_again_gets_no_email(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    sign_one(client)
    client.post(own_links(mails(app)[0])[-1])
    sign_one(client, "lake")
    client.post("/fr/water-2026/mine", data={"email": ANN.email})
    assert len(mails(app)) == 1


# --- errors ---


def test_a_signature_that_is_there_stays_when_the_signer_comes_again(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context():
        confirm(campaign, ANN, "river")
    sign_one(browser(app))
    with app.app_context():
        assert [row.state for row in rows(Signature)] == ["confirmed"], "nothing counts twice"
