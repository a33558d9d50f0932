"""HubSpot: CRM v3 contacts and communication preferences v4."""
