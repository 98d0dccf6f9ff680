"""The contracts have the documented columns in the documented order, and every one is described."""

from __future__ import annotations

import pytest

from quality.contracts.columns import columns
from quality.contracts.registry import CONTRACTS, contract
from quality.contracts.table import ContractTable, all_tables, create_statement, tables
from warehouse.database import Warehouse
from warehouse.step import comment_on

DOCUMENTED = """
web_events: event_id event_kind event_name occurred_at received_at anonymous_id source_user_id previous_id
    device_id session_id url path title referrer utm_source utm_medium utm_campaign utm_content utm_term
    product_id product_name category search_term order_id value_amount currency email phone full_name
    given_name family_name ip user_agent device_kind locale country city consent
purchases: order_id placed_at updated_at fulfilled_at delivered_at status is_test source_customer_id
    anonymous_id email phone full_name given_name family_name address_line city region postcode country
    sales_channel store_id currency gross_amount discount_amount tax_amount shipping_amount coupon_code
purchase_lines: order_id line_id product_id product_name category quantity unit_amount line_amount
purchase_refunds: order_id refund_id refunded_at amount
social_interactions: interaction_id platform interaction_kind occurred_at updated_at deleted_at account_id handle
    display_name email phone text language in_reply_to_id by_us campaign_id url followers_count is_bot
feedback: feedback_id feedback_kind survey_id submitted_at updated_at source_customer_id anonymous_id email
    phone full_name channel score score_scale answers text language order_id product_id topic opened_at
    first_response_at resolved_at followed_up_at reopened_count waiting_since ticket_status priority
    service_stage cause resolution agent_id is_test
contacts: contact_id created_at updated_at deleted_at email phone full_name given_name family_name gender
    birth_on income_band occupation company interests address_line city region postcode country language
    national_id_hash wechat_unionid wechat_openid wecom_external_userid lead_source loyalty_tier
    points_balance referred_by consents merged_ids
messages: message_id campaign_id campaign_name message_channel message_event occurred_at email phone
    source_customer_id account_id cost_amount currency is_bot merged_ids
products: product_id name category brand price_amount cost_amount currency is_in_stock
exchange_rates: on currency base_currency rate
loyalty_entries: entry_id member_id occurred_at entry_kind points order_id
deals: deal_id updated_at stage amount currency owner_id lead_source created_at won_at lost_at lost_reason
    contact_id
activities_logged: activity_id activity_kind occurred_at owner_id contact_id direction duration_seconds
    outcome text
"""


def _documented() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in DOCUMENTED.split():
        if word.endswith(":"):
            columns_of_table = found.setdefault(word[:-1], [])
        else:
            columns_of_table.append(word)
    return found


BY_ENDING = {"_at": "TIMESTAMP", "_on": "DATE", "_amount": "DECIMAL(18,4)", "_id": "VARCHAR", "_count": "BIGINT"}


@pytest.mark.parametrize("table", all_tables(), ids=lambda table: table.name)
def test_a_table_has_the_documented_columns_in_order_then_extra_then_lineage(table: ContractTable) -> None:
    names = [column.name for column in table.all_columns]
    assert names == [*_documented()[table.name], "extra", "_feed", "_batch_on", "_file", "_row"]


def test_every_documented_table_exists() -> None:
    assert {table.name for table in all_tables()} == set(_documented())


@pytest.mark.parametrize("table", all_tables(), ids=lambda table: table.name)
def test_every_column_is_described_and_named_after_its_type(table: ContractTable) -> None:
    for column in table.all_columns:
        assert len(column.description) > 10, column.name
        assert column.description.endswith("."), column.name
        for ending, sql_type in BY_ENDING.items():
            assert not column.name.endswith(ending) or column.sql_type == sql_type, column.name
        assert not column.name.startswith("is_") or column.sql_type == "BOOLEAN", column.name
    assert set(table.key) <= {column.name for column in table.columns if not column.is_nullable}
    assert len(table.description) > 20


@pytest.mark.parametrize("kind", CONTRACTS)
def test_a_kind_names_real_columns_for_its_key_order_and_time(kind: str) -> None:
    model = contract(kind)
    names = {column.name: column for column in columns(model)}
    assert set(model.key) <= names.keys()
    assert set(model.version_order) <= {"updated_at", "received_at"} & names.keys()
    assert model.occurred is None or names[model.occurred].sql_type in {"TIMESTAMP", "DATE"}
    assert [child.key[: len(model.key)] for child in model.children.values()] == [model.key] * len(model.children)


@pytest.mark.parametrize("kind", CONTRACTS)
def test_a_kind_has_a_json_schema_in_which_every_field_is_described(kind: str) -> None:
    schema = contract(kind).model_json_schema()
    assert schema["additionalProperties"] is False
    assert all(field.get("description") for field in schema["properties"].values())


def test_the_tables_can_be_made_and_take_their_comments(warehouse: Warehouse) -> None:
    cursor = warehouse.cursor()
    for table in all_tables():
        cursor.execute(create_statement(table).sql(dialect="duckdb"))
        comment_on(cursor, table.spec())
        cursor.execute(create_statement(table, name=f"_{table.name}_rows").sql(dialect="duckdb"))
    uncommented = "select column_name from duckdb_columns() where table_name = $table and comment is null"
    for table in all_tables():
        assert cursor.execute(uncommented, {"table": table.name}).fetchall() == []


def test_what_identifies_a_person_is_marked_personal_and_cookies_are_not() -> None:
    [events] = tables("web_events")
    personal = {column.name for column in events.columns if column.is_personal}
    assert {"source_user_id", "email", "phone", "full_name", "given_name", "family_name", "ip"} <= personal
    assert not personal & {"anonymous_id", "device_id", "session_id", "order_id", "country"}
