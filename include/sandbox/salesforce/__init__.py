"""Salesforce: logging in, SOQL over REST, Bulk API 2.0 query jobs, and changes by record id."""
