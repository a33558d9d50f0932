"""Reading GraphQL documents."""

from __future__ import annotations

import pytest

from sandbox.shopify.parser import Field, Spread, SyntaxFault, Variable, parse


def test_a_document_with_everything_is_read() -> None:
    document = parse(
        '''
        # orders of a day
        query Day($after: String, $first: Int! = 5, $ids: [ID!]!) @cached {
          page: orders(first: $first, after: $after, query: "a \\"b\\"", reverse: true, ids: $ids, x: {y: [1, -2.5]}) {
            ...node @include(if: true)
            ... on Order { id }
            ... { name }
          }
        }
        fragment node on Order { note(text: """block""", kind: BIG, none: null) }
        '''
    )
    operation = document.choose("Day")
    assert operation.defaults == {"after": None, "first": 5, "ids": None}
    assert operation.required == {"ids"}
    page = operation.selections[0]
    assert isinstance(page, Field)
    assert (page.alias, page.name) == ("page", "orders")
    assert page.arguments["after"] == Variable("after")
    assert page.arguments["query"] == 'a "b"'
    assert page.arguments["reverse"] is True
    assert page.arguments["x"] == {"y": [1, -2.5]}
    spreads = page.selections or []
    assert [one.fragment for one in spreads if isinstance(one, Spread)] == ["node", None, None]
    note = document.fragments["node"].selections[0]
    assert isinstance(note, Field)
    assert note.arguments == {"text": "block", "kind": "BIG", "none": None}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{ }",
        "{ a(b: ) }",
        "{ a(b: $) }",
        "query { a ",
        "subscription { a }",
        "{ a ~ }",
        "fragment x { a }",
        "{ a: }",
    ],
)
def test_what_is_no_graphql_is_refused(text: str) -> None:
    with pytest.raises(SyntaxFault):
        parse(text)


def test_of_several_operations_one_must_be_named() -> None:
    document = parse("query A { a } query B { b }")
    assert document.choose("B").name == "B"
    for name in (None, "C"):
        with pytest.raises(SyntaxFault):
            document.choose(name)
