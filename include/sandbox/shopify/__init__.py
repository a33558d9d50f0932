"""shopify"""
