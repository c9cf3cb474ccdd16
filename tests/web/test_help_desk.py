"""The help desk: staff have the link to a signer's own page sent, and learn nothing about the address."""

import pytest
from flask import Flask

from petitions.domain.roles import Role
from petitions.queries.catalogue import PublicCampaign
from petitions.services import journal
from petitions.services.limits import rate_limits
from tests.support.factories import ANN, CARLA, confirm
from tests.web.browsing import logged_in, mails, own_links, page_of, visit

HELP = "/admin/help"


def test_the_link_goes_to_who_signed_and_staff_see_the_same_for_everybody(app: Flask, campaign: PublicCampaign) -> None:
    edda = logged_in(app, "edda", Role.EDITOR)
    with app.app_context():
        confirm(campaign, ANN)
    before = len(mails(app))
    form = visit(edda, HELP).form(HELP)
    answers = []
    for email in (ANN.email, "nobody@example.org"):
        answer = edda.post(HELP, data={**form.fields(), "email": email, "language": "fr", "way": "phone"})
        answers.append((answer.status_code, answer.location, visit(edda, str(answer.location)).text))
    assert answers[0] == answers[1]
    [mail] = mails(app)[before:]
    assert mail["To"] == ANN.email
    assert [link for link in own_links(mail) if link.startswith("/fr/mine/")]
    with app.app_context():
        acts = journal.newest(acts=["own link asked for"])
    assert {(row.name, row.subject, row.number) for row in acts} == {("edda", "phone", None)}


def test_thirty_links_a_day_are_enough_for_all_staff_together(
    app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rate_limits.HELP_DESK.most == 30
    monkeypatch.setattr(rate_limits, "HELP_DESK", rate_limits.Rule("help-desk", 2, rate_limits.HELP_DESK.window))
    desks = [logged_in(app, name) for name in (CARLA.name, "oona")]
    said = []
    for place in range(4):
        form = visit(desks[place % 2], HELP).form(HELP)
        said.append(desks[place % 2].post(HELP, data={**form.fields(), "email": f"a{place}@example.org"}).status_code)
    assert said == [303, 303, 429, 429]


def test_what_is_wrong_is_said_beside_the_address(app: Flask, campaign: PublicCampaign) -> None:
    oona = logged_in(app, "oona")
    fields = {**visit(oona, HELP).form(HELP).fields(), "email": "ann", "language": "fr", "way": "letter"}
    form = page_of(oona.post(HELP, data=fields), 422).form(HELP)
    assert form.one("input", name="email")["value"] == "ann"
    assert [option["value"] for option in form.all("option", selected=True)] == ["fr", "letter"]
    for wrong in ({"way": "x"}, {"language": "xx"}):
        assert oona.post(HELP, data={**fields, "email": ANN.email, **wrong}).status_code == 404
