"""Around dbt: pin a run, build, gate, publish to the ledger, decide, give the verdict."""
