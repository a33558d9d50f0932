"""Shopify: the Admin GraphQL API of one shop."""
