"""The files of many vendors in one business: each feed is two lines, one run reads them all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cdp.command import run_command
from warehouse.database import open_warehouse

pytestmark = pytest.mark.end_to_end

FEEDS = {
    "sf_contacts": ("contacts", "salesforce_contacts", "salesforce/contacts_bulk.csv", 8),
    "sf_leads": ("contacts", "salesforce_leads", "salesforce/leads_bulk.csv", 5),
    "hs_contacts": ("contacts", "hubspot_contacts", "hubspot/contacts_export.csv", 7),
    "hs_mails": ("messages", "hubspot_email_events", "hubspot/email_events.json", 13),
    "zoho": ("contacts", "zoho_contacts", "zoho/contacts_export.csv", 6),
    "fxiaoke": ("contacts", "fxiaoke_contacts", "fxiaoke/contacts_export_gb18030.csv", 7),
    "wecom": ("contacts", "wecom_contacts", "wecom/batch_get_by_user.json", 5),
    "audience": ("contacts", "mailchimp_members", "mailchimp/subscribed_members_export.csv", 5),
    "campaigns": ("messages", "mailchimp_activity", "mailchimp/email_activity.json", 8),
    "tickets": ("feedback", "zendesk_tickets", "zendesk/tickets.json", 1),
    "surveys": ("feedback", "delighted", "delighted/survey_responses.json", 2),
}


def test_a_feed_is_two_lines_and_one_run_reads_what_every_vendor_sent(
    tmp_path: Path, real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "mine"
    assert run_command(["init", str(project)]) == 0
    for name, (kind, mapping, file, _) in FEEDS.items():
        declared = f"kind: {kind}\nmapping: {mapping}\n"
        (project / "config" / "feeds" / f"{name}.yml").write_text(declared, encoding="utf-8")
        landing = project / "landing" / name / "dt=2026-03-05"
        landing.mkdir(parents=True)
        shutil.copy(real_data / "vendor_samples" / file, landing)
    capsys.readouterr()
    assert run_command(["run", "--project", str(project), "--json"]) == 0, capsys.readouterr().err
    summary = json.loads(capsys.readouterr().out)
    counts = {name: (found["rows_read"], found["accepted"]) for name, found in summary["feeds"].items()}
    assert counts == {name: (rows, rows) for name, (*_, rows) in FEEDS.items()}
    with open_warehouse(project / "state" / "warehouse.duckdb") as warehouse:
        asked = "select count(distinct _feed) from staging.contacts where email = 'ruoxi.shen@haitang.example'"
        assert warehouse.cursor().execute(asked).fetchall() == [(5,)]
