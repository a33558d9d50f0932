"""The shop's GraphQL API by plain requests, with the truth as the judge."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from math import ceil
from typing import Any

import pytest
import requests

ORDERS = """
query Orders($after: String, $since: String, $first: Int = 100) {
  orders(first: $first, after: $after, sortKey: UPDATED_AT, query: $since) {
    nodes {
      id updatedAt cancelledAt test displayFinancialStatus customer { id }
      totalPriceSet { shopMoney { amount currencyCode } }
      totalRefundedSet { ...money }
      lineItems(first: 20) { nodes { title quantity discountedTotalSet { ...money } } }
      refunds { id createdAt totalRefundedSet { ...money } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
fragment money on MoneyBag { shopMoney { amount } }
"""
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def token(sandbox: Any) -> str:
    form = {"grant_type": "client_credentials", "client_id": "shop-sandbox", "client_secret": "shop-secret"}
    answer = requests.post(f"{sandbox.root}/shopify/admin/oauth/access_token", data=form)
    assert answer.json()["expires_in"] == 86_399
    return str(answer.json()["access_token"])


@pytest.fixture
def ask(sandbox: Any, token: str) -> Ask:
    """Asks one GraphQL query and returns the whole answer."""

    def post(query: str, **variables: Any) -> dict[str, Any]:
        answer = requests.post(
            f"{sandbox.root}/shopify/admin/api/2026-07/graphql.json",
            json={"query": query, "variables": variables},
            headers={"X-Shopify-Access-Token": token},
        )
        assert answer.status_code == 200
        return dict(answer.json())

    return post


def walk(ask: Ask, query: str, root: str, **variables: Any) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    after = None
    while True:
        page = ask(query, after=after, **variables)["data"][root]
        nodes += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes
        after = page["pageInfo"]["endCursor"]


def cents(bag: dict[str, Any]) -> int:
    return int(Decimal(bag["shopMoney"]["amount"]) * 100)


def test_orders_page_to_the_end_and_agree_with_the_truth(ask: Ask, sandbox: Any) -> None:
    orders = walk(ask, ORDERS, "orders")
    truth = {one["id"]: one for one in sandbox.get("/truth/orders")}
    assert {one["id"] for one in orders} == truth.keys()
    assert len(orders) == len(truth) > 500
    owners = {one["id"]: one["person_id"] for one in sandbox.get("/truth/customers")}
    for order in orders:
        true = truth[order["id"]]
        assert cents(order["totalPriceSet"]) == true["total_cents"]
        assert cents(order["totalRefundedSet"]) == true["refunded_cents"]
        assert sum(cents(refund["totalRefundedSet"]) for refund in order["refunds"]) == true["refunded_cents"]
        assert (order["cancelledAt"] is not None, order["test"]) == (true["is_cancelled"], true["is_test"])
        assert owners[order["customer"]["id"]] == true["person_id"]
    assert [one["updatedAt"] for one in orders] == sorted(one["updatedAt"] for one in orders)


def test_the_company_has_every_kind_of_order(ask: Ask) -> None:
    orders = walk(ask, ORDERS, "orders")
    assert {one["displayFinancialStatus"] for one in orders} == {"PAID", "PARTIALLY_REFUNDED", "REFUNDED"}
    assert any(one["cancelledAt"] for one in orders)
    assert any(one["test"] for one in orders)
    assert any(cents(one["totalPriceSet"]) == 0 for one in orders)


def test_only_what_changed_since_is_found(ask: Ask) -> None:
    everything = walk(ask, ORDERS, "orders")
    since = everything[len(everything) // 2]["updatedAt"]
    found = walk(ask, ORDERS, "orders", since=f"updated_at:>='{since}'")
    assert [one["id"] for one in found] == [one["id"] for one in everything if one["updatedAt"] >= since]


def test_customers_and_abandoned_checkouts_agree_with_the_truth(ask: Ask, sandbox: Any) -> None:
    customers = walk(
        ask,
        "query ($after: String) { customers(first: 250, after: $after) { nodes { id email numberOfOrders"
        " emailMarketingConsent { marketingState } } pageInfo { hasNextPage endCursor } } }",
        "customers",
    )
    assert {one["id"] for one in customers} == {one["id"] for one in sandbox.get("/truth/customers")}
    assert sum(int(one["numberOfOrders"]) for one in customers) == sandbox.get("/truth/summary")["orders"]
    checkouts = walk(
        ask,
        "query ($after: String) { abandonedCheckouts(first: 250, after: $after, sortKey: UPDATED_AT) { nodes { id"
        " createdAt completedAt } pageInfo { hasNextPage endCursor } } }",
        "abandonedCheckouts",
    )
    truth = {one["id"]: one for one in sandbox.get("/truth/carts")}
    assert {one["id"]: one["completedAt"] for one in checkouts} == {
        key: one["completed_at"] for key, one in truth.items()
    }
    assert 0 < sum(one["completedAt"] is not None for one in checkouts) < len(checkouts) / 3


def test_the_lines_of_an_order_come_in_pages_too_and_agree_with_the_truth(ask: Ask, sandbox: Any) -> None:
    lines = "lineItems(first: 1, after: $after) { nodes { id sku quantity variant { id } discountedTotalSet"
    lines += "(withCodeDiscounts: true) { shopMoney { amount } } } pageInfo { hasNextPage hasPreviousPage endCursor } }"
    query = f"query ($id: ID!, $after: String) {{ node(id: $id) {{ id ... on Order {{ {lines} }} }} }}"
    truth: dict[str, list[dict[str, Any]]] = {}
    for line in sandbox.get("/truth/order_lines"):
        truth.setdefault(line["order_id"], []).append(line)
    order, expected = next((order, lines) for order, lines in truth.items() if len(lines) == 3)
    after, told = None, []
    for place in range(3):
        page = ask(query, id=order, after=after)["data"]["node"]["lineItems"]
        assert page["pageInfo"]["hasPreviousPage"] == (place > 0)
        assert page["pageInfo"]["hasNextPage"] == (place < 2)
        told += [(one["id"], one["sku"], cents(one["discountedTotalSet"])) for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert told == [(line["id"], line["sku"], line["charged_cents"]) for line in expected]


def test_a_node_that_is_not_there_is_null_and_an_id_of_another_kind_refused(ask: Ask) -> None:
    assert ask('{ node(id: "gid://shopify/Order/4") { id } }')["data"] == {"node": None}
    checkout = ask("{ abandonedCheckouts(first: 1) { nodes { id } } }")["data"]["abandonedCheckouts"]["nodes"][0]
    again = ask("query ($id: ID!) { node(id: $id) { ... on AbandonedCheckout { id } } }", **checkout)
    assert again["data"]["node"] == checkout
    refused = ask('{ node(id: "gid://shopify/Theme/4") { id } }')
    assert refused["errors"][0]["extensions"]["code"] == "argumentLiteralsIncompatible"


def test_parcels_arrive_as_the_truth_says_and_move_the_order(ask: Ask, sandbox: Any) -> None:
    query = ORDERS.replace(
        "cancelledAt",
        "cancelledAt displayFulfillmentStatus fulfillments { status displayStatus createdAt deliveredAt }",
    )
    truth = {one["id"]: one for one in sandbox.get("/truth/orders")}
    kinds = set()
    for order in walk(ask, query, "orders"):
        parcels, true = order["fulfillments"], truth[order["id"]]
        assert (order["displayFulfillmentStatus"] == "FULFILLED") == bool(parcels) == bool(true["fulfilled_at"])
        arrivals = [parcel["deliveredAt"] for parcel in parcels]
        delivered = max(arrivals) if arrivals and None not in arrivals else None
        assert delivered == true["delivered_at"]
        assert all(parcel["createdAt"] == true["fulfilled_at"] for parcel in parcels)
        assert order["updatedAt"] >= max(filter(None, arrivals), default="")
        assert [parcel["displayStatus"] == "DELIVERED" for parcel in parcels] == [bool(one) for one in arrivals]
        kinds.add((len(parcels), delivered is not None))
    assert kinds == {(0, False), (1, False), (1, True), (2, False), (2, True)}


def test_money_back_and_things_back_fit_the_order(ask: Ask) -> None:
    lines = "refundLineItems(first: 5) { nodes { quantity restockType lineItem { id quantity currentQuantity }"
    lines += " subtotalSet { shopMoney { amount } } } }"
    back = "returnStatus fulfillments { deliveredAt } returns(first: 5) { nodes { status createdAt closedAt } }"
    query = ORDERS.replace("refunds { id createdAt", f"{back} refunds {{ id createdAt {lines}").replace("100", "50")
    statuses, restocking = set(), set()
    for order in walk(ask, query, "orders"):
        returns = order["returns"]["nodes"]
        statuses.add(order["returnStatus"])
        assert (order["returnStatus"] == "NO_RETURN") == (returns == [])
        for one in returns:
            assert one["createdAt"] > max(parcel["deliveredAt"] for parcel in order["fulfillments"])
            assert (one["status"] == "CLOSED") == (order["refunds"] != []) == (one["closedAt"] is not None)
        for refund in order["refunds"]:
            told = refund["refundLineItems"]["nodes"]
            assert sum(cents(line["subtotalSet"]) for line in told) <= cents(refund["totalRefundedSet"])
            for line in told:
                restocking.add(line["restockType"])
                assert (line["restockType"] == "RETURN") == bool(returns)
                item = line["lineItem"]
                assert item["currentQuantity"] == item["quantity"] - line["quantity"] >= 0
    assert statuses == {"NO_RETURN", "RETURNED"}
    assert restocking == {"RETURN", "CANCEL", "NO_RESTOCK"}


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("financial_status:refunded OR financial_status:partially_refunded", lambda one: one != "PAID"),
        ("NOT financial_status:paid", lambda one: one != "PAID"),
        ("-financial_status:paid -financial_status:refunded", lambda one: one == "PARTIALLY_REFUNDED"),
        ("id:>=0 AND (financial_status:refunded OR financial_status:paid)", lambda one: one != "PARTIALLY_REFUNDED"),
        ("financial_status:refunded AND financial_status:paid", lambda one: False),
    ],
)
def test_search_terms_are_joined_by_and_or_not_and_brackets(ask: Ask, query: str, holds: Callable[[str], bool]) -> None:
    text = (
        "query ($since: String, $after: String) { orders(first: 250, after: $after, query: $since) {"
        " nodes { id displayFinancialStatus } pageInfo { hasNextPage endCursor } } }"
    )
    everything = walk(ask, text, "orders")
    found = walk(ask, text, "orders", since=query)
    assert [one["id"] for one in found] == [one["id"] for one in everything if holds(one["displayFinancialStatus"])]


PRODUCTS = """
query ($after: String) { products(first: 25, after: $after, sortKey: UPDATED_AT) {
  nodes { id title status tags updatedAt publishedAt variants(first: 5) { nodes { id sku price inventoryQuantity
    product { id } inventoryItem { id tracked variant { id } } } pageInfo { hasNextPage } } }
  pageInfo { hasNextPage endCursor } } }
"""
LEVELS = """
query ($id: ID!, $after: String, $since: String) { node(id: $id) { ... on Location { inventoryLevels(first: 40,
  after: $after, query: $since) { nodes { updatedAt item { variant { id } } quantities(names: ["available"]) {
  name quantity } } pageInfo { hasNextPage endCursor } } } } }
"""


def walk_levels(ask: Ask, place: str, since: str = "") -> dict[str, tuple[str, int]]:
    levels: dict[str, tuple[str, int]] = {}
    after = None
    while True:
        page = ask(LEVELS, id=place, after=after, since=since)["data"]["node"]["inventoryLevels"]
        for level in page["nodes"]:
            (quantity,) = level["quantities"]
            levels[level["item"]["variant"]["id"]] = (level["updatedAt"], quantity["quantity"])
        if not page["pageInfo"]["hasNextPage"]:
            return levels
        after = page["pageInfo"]["endCursor"]


def test_products_variants_and_stock_agree_with_the_truth(ask: Ask, sandbox: Any) -> None:
    products = walk(ask, PRODUCTS, "products")
    assert {one["status"] for one in products} == {"ACTIVE", "DRAFT", "ARCHIVED"}
    assert [one["updatedAt"] for one in products] == sorted(one["updatedAt"] for one in products)
    variants = [variant for one in products for variant in one["variants"]["nodes"]]
    assert [variant["product"]["id"] for variant in variants] == [one["id"] for one in products]
    stock: dict[str, dict[str, int]] = {}
    for one in sandbox.get("/truth/stock"):
        stock.setdefault(one["location"], {})[one["variant_id"]] = one["available"]
    places = ask("{ locations(first: 5) { nodes { id name } } }")["data"]["locations"]["nodes"]
    for place in places:
        told = walk_levels(ask, place["id"])
        assert {variant: count for variant, (_, count) in told.items()} == stock[place["name"]]
    assert {one["id"]: one["inventoryQuantity"] for one in variants} == {
        variant: sum(place[variant] for place in stock.values()) for variant in next(iter(stock.values()))
    }
    sold = {line["sku"] for line in sandbox.get("/truth/order_lines")}
    assert sold < {variant["sku"] for variant in variants}


def test_a_line_leads_to_its_product_as_it_is_today(ask: Ask) -> None:
    line = "lineItems(first: 1) { nodes { sku product { title status } variant { sku price } } }"
    (order,) = ask(f"{{ orders(first: 1) {{ nodes {{ {line} }} }} }}")["data"]["orders"]["nodes"]
    (item,) = order["lineItems"]["nodes"]
    assert item["product"]["status"] == "ACTIVE"
    assert (item["variant"]["sku"], Decimal(item["variant"]["price"]) > 0) == (item["sku"], True)


@pytest.fixture(scope="module")
def own(start_sandbox: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A larger company, whose clock only the test of the stock moves."""
    return start_sandbox(tmp_path_factory.mktemp("own"), people=3000)


@pytest.fixture
def ask_own(own: Any) -> Ask:
    token = requests.post(
        f"{own.root}/shopify/admin/oauth/access_token",
        data={"grant_type": "client_credentials", "client_id": "shop-sandbox", "client_secret": "shop-secret"},
    ).json()["access_token"]

    def post(query: str, **variables: Any) -> dict[str, Any]:
        url = f"{own.root}/shopify/admin/api/2026-07/graphql.json"
        headers = {"X-Shopify-Access-Token": token}
        return dict(requests.post(url, json={"query": query, "variables": variables}, headers=headers).json())

    return post


def test_a_return_is_open_until_its_money_is_paid_back(own: Any, ask_own: Ask) -> None:
    query = (
        'query ($after: String) { orders(first: 50, after: $after, query: "return_status:in_progress") {'
        " nodes { id displayFinancialStatus returns(first: 5) { nodes { status closedAt } } }"
        " pageInfo { hasNextPage endCursor } } }"
    )
    orders = walk(ask_own, query, "orders")
    open_ones = {one["order_id"] for one in own.get("/truth/returns") if not one["is_refunded"]}
    assert {one["id"] for one in orders} == open_ones
    assert open_ones
    assert {one["displayFinancialStatus"] for one in orders} == {"PAID"}
    assert all(one["returns"]["nodes"] == [{"status": "OPEN", "closedAt": None}] for one in orders)


def test_stock_falls_by_what_is_ordered_and_only_that_is_told_as_changed(own: Any, ask_own: Ask) -> None:
    places = ask_own("{ locations(first: 1) { nodes { id } } }")["data"]["locations"]["nodes"]
    before = walk_levels(ask_own, places[0]["id"])
    known = {line["id"] for line in own.get("/truth/order_lines")}
    own.move_clock("2026-03-09T00:00:00Z")
    after = walk_levels(ask_own, places[0]["id"])
    cancelled = {one["id"] for one in own.get("/truth/orders") if one["is_cancelled"]}
    new = [line for line in own.get("/truth/order_lines") if line["id"] not in known]
    skus = {line["sku"] for line in new}
    changed = walk_levels(ask_own, places[0]["id"], "updated_at:>='2026-03-02T00:00:01Z'")
    assert len(new) > 100
    variant_skus = {
        one["id"]: one["sku"]
        for one in ask_own("{ productVariants(first: 250) { nodes { id sku } } }")["data"]["productVariants"]["nodes"]
    }
    assert {variant_skus[variant] for variant in changed} == skus
    sold: dict[str, int] = {}
    for line in new:
        if line["order_id"] not in cancelled:
            sold[line["sku"]] = sold.get(line["sku"], 0) + line["quantity"]
    for variant, (_, count) in before.items():
        assert after[variant][1] == max(0, count - sold.get(variant_skus[variant], 0)), variant


def test_an_unknown_quantity_is_refused(ask: Ask) -> None:
    (place,) = ask("{ locations(first: 1) { nodes { id } } }")["data"]["locations"]["nodes"]
    answer = ask(LEVELS.replace('"available"', '"dreamt_of"'), id=place["id"])
    assert answer["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_edges_aliases_inline_fragments_and_directives_work(ask: Ask) -> None:
    data = ask(
        "query Shop($with: Boolean!) { newest: orders(first: 1, sortKey: CREATED_AT, reverse: true) { edges { cursor"
        " node { ... on Order { id __typename } name @include(if: $with) } } } }",
        **{"with": False},
    )["data"]
    (edge,) = data["newest"]["edges"]
    assert edge["node"].keys() == {"id", "__typename"}
    assert edge["node"]["__typename"] == "Order"


def test_a_page_can_be_continued_backwards(ask: Ask) -> None:
    query = (
        "query ($after: String) { orders(first: 250, after: $after, sortKey: CREATED_AT, reverse: true) {"
        " nodes { id } pageInfo { hasNextPage endCursor } } }"
    )
    ids = [int(one["id"].rpartition("/")[2]) for one in walk(ask, query, "orders")]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == len(set(ids))


def test_an_unknown_search_term_is_left_out_with_a_warning(ask: Ask) -> None:
    answer = ask('{ orders(first: 1, query: "colour:blue") { nodes { id } } }')
    assert answer["extensions"]["search"][0]["warnings"][0]["field"] == "colour"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ orders(first: 1) { nodes { colour } } }", "undefinedField"),
        ("{ orders { nodes { id } } }", "BAD_REQUEST"),
        ("{ orders(first: 251) { nodes { id } } }", "BAD_REQUEST"),
        ('{ orders(first: 1, after: "x") { nodes { id } } }', "BAD_REQUEST"),
        ("{ orders(first: 1, sortKey: COLOUR) { nodes { id } } }", "argumentLiteralsIncompatible"),
        ("{ orders(first: 1, colour: 2) { nodes { id } } }", "argumentNotAccepted"),
        ("{ orders(first: 1) }", "selectionMismatch"),
        ("{ orders(first: 1) { nodes { id { x } } } }", "selectionMismatch"),
        ("query ($a: String!) { orders(first: 1, query: $a) { nodes { id } } }", "INVALID_VARIABLE"),
        ("{ orders(first: 1) { nodes { id } }", "PARSE_ERROR"),
        (
            "{ orders(first: 250) { nodes { customer { id } lineItems(first: 250) { nodes { id } } } } }",
            "MAX_COST_EXCEEDED",
        ),
    ],
)
def test_a_query_that_the_shop_would_refuse_is_refused_inside_a_200(ask: Ask, query: str, code: str) -> None:
    answer = ask(query)
    assert answer["errors"][0]["extensions"]["code"] == code
    assert "data" not in answer


def test_an_empty_bucket_throttles_inside_a_200(ask: Ask, enable_limits: Any) -> None:
    enable_limits("shopify")
    query = "{ orders(first: 250) { nodes { customer { id } lineItems(first: 40) { nodes { id } } } } }"
    first = ask(query)["extensions"]["cost"]
    assert first["throttleStatus"]["maximumAvailable"] == 20_000
    throttled = next(answer for answer in (ask(query) for _ in range(200)) if "errors" in answer)
    assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED"
    cost = throttled["extensions"]["cost"]
    assert cost["throttleStatus"]["restoreRate"] == 1000
    assert cost["throttleStatus"]["currentlyAvailable"] < cost["requestedQueryCost"] == first["requestedQueryCost"]


def test_what_a_query_did_not_need_is_given_back(ask: Ask) -> None:
    cost = ask('{ orders(first: 250, query: "id:<3") { nodes { customer { id } } } }')["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 2 + 250 * 2 / 4
    assert cost["actualQueryCost"] == 2 + 2


def test_nested_connections_cost_what_came_of_them(ask: Ask) -> None:
    answer = ask("{ orders(first: 1) { nodes { lineItems(first: 40) { nodes { id } } } } }")
    items = answer["data"]["orders"]["nodes"][0]["lineItems"]["nodes"]
    cost = answer["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 2 + ceil((1 + 2 + 40 / 4) / 4)
    assert cost["actualQueryCost"] == 2 + ceil((1 + 2 + ceil(len(items) / 4)) / 4) < cost["requestedQueryCost"]


def test_wrong_tokens_and_secrets_are_refused(sandbox: Any, token: str) -> None:
    url = f"{sandbox.root}/shopify/admin/api/2026-07/graphql.json"
    answer = requests.post(url, json={"query": "{ shop { name } }"}, headers={"X-Shopify-Access-Token": "shpat_x"})
    assert (answer.status_code, "Invalid API key" in answer.text) == (401, True)
    form = {"grant_type": "client_credentials", "client_id": "shop-sandbox", "client_secret": "wrong"}
    assert requests.post(f"{sandbox.root}/shopify/admin/oauth/access_token", data=form).status_code == 401


def test_a_withdrawn_right_is_access_denied(ask: Ask, sandbox: Any) -> None:
    sandbox.break_with("access_denied", path="abandonedCheckouts")
    answer = ask("{ abandonedCheckouts(first: 1) { nodes { id } } }")
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


def test_consent_is_changed_by_a_mutation_whose_mistakes_are_user_errors(ask: Ask) -> None:
    mutation = (
        "mutation ($input: CustomerEmailMarketingConsentUpdateInput!) { customerEmailMarketingConsentUpdate(input:"
        " $input) { customer { id updatedAt emailMarketingConsent { marketingState } } userErrors { field message } } }"
    )
    customers = ask("{ customers(first: 50) { nodes { id email } } }")["data"]["customers"]["nodes"]
    customer = next(one for one in customers if one["email"])
    wanted = {"customerId": customer["id"], "emailMarketingConsent": {"marketingState": "UNSUBSCRIBED"}}
    done = ask(mutation, input=wanted)["data"]["customerEmailMarketingConsentUpdate"]
    assert done["customer"]["emailMarketingConsent"]["marketingState"] == "UNSUBSCRIBED"
    assert done["customer"]["updatedAt"] == "2026-03-02T00:00:00Z"
    wrong = ask(mutation, input={**wanted, "customerId": "gid://shopify/Customer/1"})["data"]
    assert wrong["customerEmailMarketingConsentUpdate"]["userErrors"][0]["field"] == ["input", "customerId"]


def test_an_erasure_that_was_asked_for_redacts_the_customer_ten_days_later(ask: Ask, sandbox: Any) -> None:
    mutation = (
        "mutation ($customer: ID!) { customerRequestDataErasure(customerId: $customer) "
        "{ customerId userErrors { field message code } } }"
    )
    query = "{ customers(first: 250) { nodes { id email firstName phone emailMarketingConsent { marketingState } } } }"
    customer = next(one for one in ask(query)["data"]["customers"]["nodes"] if one["email"])
    asked = ask(mutation, customer=customer["id"])["data"]["customerRequestDataErasure"]
    assert asked == {"customerId": customer["id"], "userErrors": []}
    wrong = ask(mutation, customer="gid://shopify/Customer/1")["data"]["customerRequestDataErasure"]
    assert [error["code"] for error in wrong["userErrors"]] == ["DOES_NOT_EXIST"]
    assert next(one for one in ask(query)["data"]["customers"]["nodes"] if one["id"] == customer["id"]) == customer
    sandbox.move_clock("2026-03-13T00:00:00Z")
    later = next(one for one in ask(query)["data"]["customers"]["nodes"] if one["id"] == customer["id"])
    assert (later["email"], later["firstName"], later["phone"]) == (None, None, None)
    assert later["emailMarketingConsent"] == {"marketingState": "REDACTED"}
