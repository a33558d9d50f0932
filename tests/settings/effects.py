"""Each setting that a person can write, with the test that fails when it has no effect.

One entry per field of each pydantic model that reads settings. A model that is not written by people stands in
`NOT_SETTINGS` with the reason.
"""

from __future__ import annotations

Effects = dict[str, str]

LOOK = "tests/delivery/test_last_look.py::"
CAPS = "tests/delivery/test_caps.py::"
TIME = "tests/delivery/test_recipient_time.py::"
AUDIENCE = "tests/delivery/test_audience.py::"
OUTCOMES = "tests/decisions/test_outcomes.py::"
JOURNEYS = "tests/decisions/test_journeys.py::"
ENTRIES = "tests/decisions/test_entries.py::"
CATALOGUE = "tests/catalogue/test_campaigns.py::"
GATE = "tests/warehouse/test_gate.py::"
INTAKE = "tests/intake/test_intake_settings.py::"
TRACKED = "tests/intake/test_tracked_events.py::"
VENDOR = "tests/extraction/test_source_settings.py::"
BATCHES = "tests/extraction/test_batches.py::"
RESHAPING = "tests/extraction/test_reshaping.py::"
LANDING = "tests/extraction/test_landing.py::"
ALERTS = "tests/alerting/test_alerts.py::"
ERASED = "tests/extraction/test_vendor_erasures.py::"
FILES = "tests/extraction/test_files.py::"
JOBS = "tests/extraction/test_jobs.py::"
PUT_OFF = "tests/extraction/test_put_off.py::"
INNER = "tests/extraction/test_inner_lists.py::"
LOGIN = "tests/extraction/test_vendor_quota_and_login.py::"
BREAKER = "tests/delivery/test_circuit_breaker.py::"
FIRST_LIVE = "tests/delivery/test_first_live.py::"
DBT = "tests/dbt/test_project.py::test_the_unit_tests_hold"

EFFECTS: dict[str, Effects] = {
    "safar.catalogue.defaults.Defaults": {
        "time_zone": TIME + "test_the_recipient_s_stored_time_zone_is_read_at_planning_and_at_release",
        "currency": DBT,
        "default_locale": CATALOGUE + "test_the_default_locale_is_the_one_that_every_template_must_have",
        "cadence_interval": CATALOGUE + "test_a_longer_interval_between_builds_asks_for_more_lag",
        "quiet_hours": TIME + "test_the_company_s_quiet_hours_are_those_declared",
        "frequency_caps": CATALOGUE + "test_the_rules_for_all_campaigns_reach_the_decisions",
        "max_source_age": GATE + "test_max_source_age_has_effect",
        "approval": AUDIENCE + "test_a_new_campaign_is_asked_about_above_its_limit",
        "universal_control": ENTRIES + "test_lots_are_drawn_once_evenly_and_for_each_campaign_apart",
        "holdout_salt": ENTRIES + "test_lots_are_drawn_once_evenly_and_for_each_campaign_apart",
        "attribution_window": DBT,
        "first_live_messages": FIRST_LIVE + "test_the_setting_of_a_campaign_wins_over_the_default",
        "circuit_breaker": BREAKER + "test_the_thresholds_are_those_of_the_project",
    },
    "safar.catalogue.defaults.CircuitBreaker": {
        "last_messages": BREAKER + "test_only_the_latest_messages_are_looked_at",
        "min_messages": BREAKER + "test_too_few_messages_say_nothing",
        "refusals": BREAKER + "test_messages_refused_at_the_call_count_as_refusals",
        "bounces": BREAKER + "test_bounces_open_the_breaker_with_their_figures",
        "complaints_warn": BREAKER + "test_complaints_warn_first_and_then_open_the_breaker",
        "complaints": BREAKER + "test_complaints_warn_first_and_then_open_the_breaker",
    },
    "safar.catalogue.defaults.QuietHours": {
        "from_": TIME + "test_the_company_s_quiet_hours_are_those_declared",
        "until": TIME + "test_the_company_s_quiet_hours_are_those_declared",
    },
    "safar.catalogue.defaults.FrequencyCap": {
        "channel": "tests/decisions/test_cap_rule.py::test_a_campaign_s_own_caps_stand_in_the_place_of_the_defaults",
        "class_": CATALOGUE + "test_a_cap_of_transactional_messages_is_refused",
        "messages": "tests/decisions/test_cap_rule.py::test_decisions_and_claim_say_the_same_row_by_row",
        "within": "tests/decisions/test_cap_rule.py::test_decisions_and_claim_say_the_same_row_by_row",
    },
    "safar.catalogue.defaults.Approval": {
        "people": AUDIENCE + "test_a_new_campaign_is_asked_about_above_its_limit",
        "growth": AUDIENCE + "test_after_seven_runs_growth_counts_but_never_a_hundred_people",
    },
    "safar.catalogue.campaign.DeclaredCampaign": {
        "enter": "tests/decisions/test_comparison.py::"
        "test_the_higher_priority_wins_an_address_and_the_loser_learns_from_whom",
        "again": ENTRIES + "test_again_never_after_a_time_or_at_each_occurrence_over_all_names_of_a_person",
        "goal": OUTCOMES + "test_time_is_exclusive_at_its_end",
        "exit": JOURNEYS + "test_who_leaves_the_segment_leaves_the_journey",
        "class_": OUTCOMES + "test_transactional_asks_no_consent_but_minds_suppression_stop_and_expiry",
        "topic": LOOK + "test_a_goal_before_the_entry_and_an_opt_out_of_another_topic_change_nothing",
        "priority": "tests/decisions/test_comparison.py::"
        "test_the_higher_priority_wins_an_address_and_the_loser_learns_from_whom",
        "holdout": ENTRIES + "test_lots_are_drawn_once_evenly_and_for_each_campaign_apart",
        "max_lag": OUTCOMES + "test_time_is_exclusive_at_its_end",
        "max_source_age": CATALOGUE + "test_a_campaign_s_own_guard_rails_win",
        "approval": CATALOGUE + "test_a_campaign_s_own_guard_rails_win",
        "first_live_messages": FIRST_LIVE + "test_the_setting_of_a_campaign_wins_over_the_default",
        "frequency_caps": CAPS + "test_a_campaign_s_own_caps_stand_in_the_place_of_the_defaults",
        "steps": JOURNEYS + "test_the_second_step_comes_after_the_wait_to_whom_it_is_meant_for",
        "retired": "tests/catalogue/test_step_names.py::test_a_removed_step_must_be_retired",
    },
    "safar.catalogue.campaign.Owner": dict.fromkeys(
        ["name", "email"], AUDIENCE + "test_a_yes_of_the_owner_is_none_by_whatever_name"
    ),
    "safar.catalogue.permission_rules.CountryRule": {
        **dict.fromkeys(["country_code", "single_opt_in", "imported_flag", "purchase", "nothing"], DBT),
        "country": "tests/catalogue/test_permission_rules.py::test_a_wrong_row_says_where_and_what_is_allowed",
    },
    "safar.catalogue.permission_rules.SourceRule": dict.fromkeys(
        ["source", "evidence", "needs_text_version", "needs_form", "needs_confirmation"], DBT
    ),
    "safar.catalogue.campaign.CampaignCap": {
        "channel": CATALOGUE + "test_a_campaign_s_own_caps_replace_all_the_defaults",
        "messages": CAPS + "test_a_campaign_s_own_caps_stand_in_the_place_of_the_defaults",
        "within": CAPS + "test_a_campaign_s_own_caps_stand_in_the_place_of_the_defaults",
    },
    "safar.catalogue.campaign.Again": {
        "kind": ENTRIES + "test_again_never_after_a_time_or_at_each_occurrence_over_all_names_of_a_person",
        "after": ENTRIES + "test_again_never_after_a_time_or_at_each_occurrence_over_all_names_of_a_person",
    },
    "safar.catalogue.campaign.Goal": {
        "model": OUTCOMES + "test_the_reasons_are_told",
        "at": OUTCOMES + "test_time_is_exclusive_at_its_end",
    },
    "safar.catalogue.campaign.Send": {
        "channel": CATALOGUE + "test_a_step_s_setting_arrives_in_the_plan",
        "template": OUTCOMES + "test_the_reasons_are_told",
    },
    "safar.catalogue.campaign.DeclaredStep": {
        "wait": JOURNEYS + "test_the_second_step_comes_after_the_wait_to_whom_it_is_meant_for",
        "name": "tests/catalogue/test_step_names.py::test_a_retired_name_never_comes_back",
        "when": JOURNEYS + "test_a_step_whose_condition_fails_or_that_is_not_sent_ends_the_journey_or_is_passed",
        "send": OUTCOMES + "test_the_reasons_are_told",
        "if_not_sent": JOURNEYS + "test_a_step_whose_condition_fails_or_that_is_not_sent_ends_the_journey_or_is_passed",
    },
    "safar.alerting.settings.AlertSettings": {
        **dict.fromkeys(
            ("targets", "recipients", "sender", "encryption", "webhook_secret_url", "runbook_url"),
            ALERTS + "test_an_alert_says_what_where_and_what_to_do_to_every_target",
        ),
        "allow_hosts": ALERTS + "test_in_production_a_webhook_on_this_machine_is_not_called",
        "unknown_limit": ALERTS + "test_unknown_messages_above_the_limit_are_told_and_again_when_they_come_back",
        "silent_hours": ALERTS + "test_a_webhook_that_is_silent_after_messages_were_accepted_is_told",
    },
    "safar.intake.settings.IntakeSettings": {
        "late_after_hours": INTAKE + "test_limits_hold_as_set",
        "link_lifetime_days": INTAKE + "test_limits_hold_as_set",
        "body_limit_bytes": INTAKE + "test_limits_hold_as_set",
        "ledger_connections": INTAKE + "test_no_more_connections_are_held_than_set",
        "form_limit_bytes": INTAKE + "test_a_form_has_its_limit",
        "network_burst": INTAKE + "test_a_network_may_do_so_much_at_once_and_so_much_a_minute",
        "network_per_minute": INTAKE + "test_a_network_gets_new_requests_as_fast_as_set",
        "total_burst": INTAKE + "test_all_networks_together_have_their_limit",
        "total_per_minute": INTAKE + "test_all_networks_together_get_new_requests_as_fast_as_set",
        "trusted_proxies": INTAKE + "test_only_our_own_proxies_say_who_asks",
        "confirmation_hours": INTAKE + "test_a_confirmation_lasts_as_set",
        "opt_ins_per_address": INTAKE + "test_confirmation_mails_are_capped_as_set",
        "opt_ins_per_network": INTAKE + "test_confirmation_mails_are_capped_as_set",
        "write_keys": TRACKED + "test_only_who_has_a_key_may_post",
        "event_body_limit_bytes": INTAKE + "test_posts_of_events_have_their_limit",
        "event_network_burst": INTAKE + "test_a_network_may_post_so_many_events_at_once_and_so_many_a_minute",
        "event_network_per_minute": INTAKE + "test_a_network_may_post_so_many_events_at_once_and_so_many_a_minute",
    },
    "safar.intake.write_keys.WriteKey": {
        "name": TRACKED + "test_a_repeated_call_is_kept_once_for_each_app",
        "kind": TRACKED + "test_an_address_is_kept_only_of_what_our_own_server_tells",
    },
    "safar.feedback.settings.FeedbackSettings": {
        "grace_hours": "tests/feedback/test_settling.py::test_the_grace_time_is_as_set",
        "planning_hours": "tests/feedback/test_identities.py::test_the_time_for_planning_is_as_set",
        "suppression_overlap_hours": "tests/feedback/test_collecting.py::test_the_overlap_is_as_set",
        "load_history_days": "tests/feedback/test_housekeeping.py::test_how_long_they_are_kept_is_as_set",
    },
    "safar.settings.Settings": {
        "project_root": CATALOGUE + "test_a_folder_without_its_file_is_refused",
        "home": "tests/services/test_postgres.py::test_a_second_safar_on_the_same_home_is_told_so",
        "environment": "tests/delivery/test_guard.py::test_anything_else_needs_both_switches",
        "clock": "tests/dags/test_policy.py::test_under_the_companys_clock_no_dag_has_a_timer",
    },
    "safar.catalogue.fetching.Auth": {
        **dict.fromkeys(
            ["type", "token", "name", "api_key", "location", "username", "password"],
            VENDOR + "test_we_log_in_as_declared",
        ),
        **dict.fromkeys(
            ["access_token_url", "client_id", "client_secret", "access_token_header"],
            VENDOR + "test_a_token_is_asked_for_where_and_with_what_is_declared",
        ),
        **dict.fromkeys(
            ["private_key", "subject", "audience"],
            LOGIN + "test_an_assertion_says_who_asks_and_a_refused_token_is_asked_for_again",
        ),
        "refresh_token": LOGIN + "test_a_refresh_token_is_changed_for_tokens_that_hold_an_hour",
    },
    "safar.catalogue.fetching.QuotaReset": dict.fromkeys(
        ["at", "time_zone", "after"],
        PUT_OFF + "test_the_next_reset_is_after_the_moment_also_when_the_clocks_change",
    ),
    "safar.catalogue.fetching.Quota": dict.fromkeys(
        ["header", "pattern", "leave"], LOGIN + "test_a_share_of_the_day_s_calls_is_left_to_others"
    ),
    "safar.catalogue.inner_lists.InnerList": {
        **dict.fromkeys(["path", "json_", "selector"], INNER + "test_a_list_of_many_pages_lands_whole"),
        **dict.fromkeys(["id", "items", "has_more", "cursor"], INNER + "test_a_list_below_a_list_is_read_as_named"),
    },
    "safar.catalogue.jobs.JobRequest": dict.fromkeys(
        ["path", "method", "params", "json_", "headers"],
        JOBS + "test_a_job_is_started_waited_for_and_its_pages_land",
    ),
    "safar.catalogue.jobs.Job": {
        **dict.fromkeys(
            ["start", "id", "poll", "state", "running", "done", "every"],
            JOBS + "test_a_job_is_started_waited_for_and_its_pages_land",
        ),
        **dict.fromkeys(["refused", "busy"], JOBS + "test_we_wait_for_another_job_and_are_told_of_any_other_refusal"),
        **dict.fromkeys(["failed", "problem"], JOBS + "test_a_job_that_fails_is_told_with_what_the_vendor_says"),
        **dict.fromkeys(["anew", "starts"], JOBS + "test_a_job_that_the_vendor_drops_is_started_anew_but_not_for_ever"),
        **dict.fromkeys(["longest", "cancel"], JOBS + "test_a_job_that_takes_too_long_is_cancelled"),
        "count": JOBS + "test_a_result_without_records_is_not_fetched_and_a_packed_one_is_unpacked",
        "keep": JOBS + "test_json_lines_come_from_elsewhere_without_our_token_and_children_join_their_parent",
    },
    "safar.catalogue.jobs.NextPage": dict.fromkeys(
        ["header", "param", "last"], JOBS + "test_a_job_is_started_waited_for_and_its_pages_land"
    ),
    "safar.catalogue.jobs.Nesting": {
        **dict.fromkeys(["parent", "id"], JOBS + "test_parents_are_known_by_the_declared_fields"),
        "into": JOBS + "test_json_lines_come_from_elsewhere_without_our_token_and_children_join_their_parent",
    },
    "safar.catalogue.fetching.Throttling": dict.fromkeys(
        ["requested", "available", "restore_rate"], VENDOR + "test_errors_are_read_where_and_as_declared"
    ),
    "safar.catalogue.fetching.ErrorShape": dict.fromkeys(
        ["path", "code", "message", "throttled", "transient", "exhausted", "wait"],
        VENDOR + "test_errors_are_read_where_and_as_declared",
    )
    | {
        "expired": JOBS + "test_a_query_that_the_vendor_forgot_is_asked_anew_from_the_last_row",
        "retry_after": VENDOR + "test_we_wait_as_long_as_the_body_says",
        **dict.fromkeys(
            ["good", "unauthorised", "pause"],
            VENDOR + "test_a_vendor_that_answers_errors_with_200_is_understood_by_its_codes",
        ),
    },
    "safar.catalogue.fetching.RateLimit": {
        "requests": VENDOR + "test_the_declared_limit_makes_us_wait",
        "per": VENDOR + "test_the_declared_limit_makes_us_wait",
        "requests_header": "tests/extraction/test_source_declaration.py::test_the_vendor_s_headers_count_more_than_our_number",
        "per_ms_header": "tests/extraction/test_source_declaration.py::test_the_vendor_s_headers_count_more_than_our_number",
        "remaining_header": VENDOR + "test_while_the_vendor_tells_of_calls_left_nobody_waits",
    },
    "safar.catalogue.fetching.Client": {
        "auth": VENDOR + "test_we_log_in_as_declared",
        "headers": VENDOR + "test_headers_of_the_client_and_of_the_endpoint_are_sent",
        "optional_headers": VENDOR + "test_an_optional_header_is_sent_where_the_connection_has_what_it_names",
        "timeout": VENDOR + "test_an_answer_that_takes_longer_than_the_timeout_is_asked_for_again",
        "errors": VENDOR + "test_errors_are_read_where_and_as_declared",
        "limit": VENDOR + "test_the_declared_limit_makes_us_wait",
        "quota_reset": PUT_OFF + "test_a_used_up_quota_puts_the_load_off_and_nothing_is_asked_again_until_then",
        "quota": LOGIN + "test_a_share_of_the_day_s_calls_is_left_to_others",
    },
    "safar.catalogue.fetching.Endpoint": {
        **dict.fromkeys(
            ["path", "method", "json_", "paginator", "data_selector"],
            LANDING + "test_graphql_pages_with_a_token_of_its_own",
        ),
        "params": VENDOR + "test_the_first_load_begins_at_initial_and_the_next_overlaps",
        "headers": VENDOR + "test_headers_of_the_client_and_of_the_endpoint_are_sent",
        "limit": VENDOR + "test_the_declared_limit_makes_us_wait",
        "empty_when": VENDOR + "test_an_answer_without_a_list_is_an_error_unless_it_says_that_it_is_empty",
        **dict.fromkeys(["add", "dates"], VENDOR + "test_a_row_gets_the_day_and_what_the_vendor_does_not_repeat"),
        "pairs": RESHAPING + "test_names_with_values_become_columns",
        "unnest": RESHAPING + "test_the_elements_of_a_list_are_rows_with_what_is_kept_of_their_record",
        "omit": JOBS + "test_changes_are_asked_for_without_a_job_and_one_instant_is_one_text",
        "inner": INNER + "test_a_list_of_many_pages_lands_whole",
        **dict.fromkeys(["job", "format", "next_page"], JOBS + "test_a_job_is_started_waited_for_and_its_pages_land"),
        "nesting": JOBS + "test_json_lines_come_from_elsewhere_without_our_token_and_children_join_their_parent",
    },
    "safar.catalogue.fetching.Cursor": {
        "column": VENDOR + "test_the_first_load_begins_at_initial_and_the_next_overlaps",
        "initial": VENDOR + "test_the_first_load_begins_at_initial_and_the_next_overlaps",
        "overlap": VENDOR + "test_the_first_load_begins_at_initial_and_the_next_overlaps",
        "format": VENDOR + "test_a_cursor_is_written_as_the_vendor_reads_it",
        "newest_first": BATCHES + "test_where_the_newest_come_first_reading_ends_at_what_is_known",
    },
    "safar.catalogue.fetching.Cap": {
        "rows": LANDING + "test_rows_that_share_one_instant_are_paged_by_their_id",
        "tie_column": LANDING + "test_rows_that_share_one_instant_are_paged_by_their_id",
        "tie_initial": VENDOR + "test_ties_begin_at_the_declared_id",
        "ties": VENDOR + "test_ties_begin_at_the_declared_id",
    },
    "safar.catalogue.fetching.Window": {
        "column": LANDING + "test_a_restated_day_replaces_the_old_one_and_what_vanished_is_retired",
        "days": LANDING + "test_days_before_the_window_are_left_alone",
        "most_rows": VENDOR + "test_days_whose_answer_is_cut_are_asked_for_in_halves_and_one_that_is_too_long_is_told",
        "where": VENDOR + "test_what_vanished_is_retired_only_in_what_was_asked_about",
    },
    "safar.catalogue.reshaping.Unnest": {
        "more": RESHAPING + "test_a_list_that_the_vendor_cut_fails_the_load",
        "list_": RESHAPING + "test_the_elements_of_a_list_are_rows_with_what_is_kept_of_their_record",
        "keep": RESHAPING + "test_the_elements_of_a_list_are_rows_with_what_is_kept_of_their_record",
    },
    "safar.catalogue.fetching.Batch": {
        "table": LANDING + "test_first_load_flattens_objects_and_keeps_lists",
        "column": LANDING + "test_first_load_flattens_objects_and_keeps_lists",
        "size": VENDOR + "test_a_batch_holds_so_many_values",
        "concurrency": VENDOR + "test_so_many_batches_are_asked_for_at_once",
        "each": BATCHES + "test_a_list_of_objects_is_sent_where_the_vendor_wants_one",
        "into": BATCHES + "test_each_parent_is_asked_about_in_the_path_and_named_in_its_rows",
        "where": BATCHES + "test_only_parents_that_fit_are_asked_about",
        "only_changed": BATCHES + "test_only_changed_parents_are_asked_about_where_it_says_so",
    },
    "safar.catalogue.fetching.Tombstone": dict.fromkeys(
        ["column", "equals"], VENDOR + "test_a_row_that_says_so_is_a_tombstone"
    ),
    "safar.catalogue.fetching.Files": {
        "pattern": FILES + "test_no_file_is_an_error_that_names_pattern_and_folder",
        "separator": FILES + "test_other_separators",
        "has_header": FILES + "test_real_purchases_are_replayed_as_of_a_night",
        "fields": FILES + "test_real_purchases_are_replayed_as_of_a_night",
        "mapping": FILES + "test_names_types_and_dates_come_from_the_declaration",
        "date_formats": FILES + "test_names_types_and_dates_come_from_the_declaration",
        "encoding": FILES + "test_another_encoding_is_an_error_that_names_the_byte",
        "visible_from": FILES + "test_real_purchases_are_replayed_as_of_a_night",
    },
    "safar.catalogue.source.Column": {
        "name": LANDING + "test_an_empty_source_has_its_tables",
        "data_type": LANDING + "test_first_load_flattens_objects_and_keeps_lists",
        "personal": "tests/erasure/test_canary.py::test_no_word_of_an_erased_person_is_left_anywhere",
        "sensitive": "tests/catalogue/test_sensitive_columns.py::test_a_field_of_a_template_may_not_descend_from_it",
    },
    "safar.catalogue.fetching.Erased": {
        "column": ERASED + "test_a_row_that_says_so_erases_its_person",
        "equals": ERASED + "test_a_row_that_says_so_erases_its_person",
        "lookup": ERASED + "test_who_is_neither_there_nor_archived_is_erased_and_an_archived_one_is_not",
        "size": ERASED + "test_who_is_neither_there_nor_archived_is_erased_and_an_archived_one_is_not",
        "each": ERASED + "test_who_is_neither_there_nor_archived_is_erased_and_an_archived_one_is_not",
        "at_most": ERASED + "test_more_people_gone_at_once_than_expected_are_a_fault_and_nobody_is_erased",
    },
    "safar.catalogue.fetching.EraseRequest": dict.fromkeys(
        ("each", "path", "method", "json_", "problems", "gone"),
        "tests/erasure/test_canary.py::test_the_vendors_were_asked_to_erase_the_person_too",
    )
    | {"code": "tests/erasure/test_salesforce.py::test_a_person_is_deleted_there_too_and_what_is_gone_is_no_error"},
    "safar.catalogue.fetching.Erase": dict.fromkeys(
        ("connection", "requests"), "tests/erasure/test_canary.py::test_the_vendors_were_asked_to_erase_the_person_too"
    ),
    "safar.erasure.retention.RetentionRule": dict.fromkeys(
        ("table", "after", "since", "clock", "delete", "empty"),
        "tests/erasure/test_letting_go.py::test_each_line_of_the_retention_file_has_its_effect_once_its_time_is_over",
    ),
    "safar.catalogue.source.TableExtract": {
        "kind": LANDING + "test_a_restated_day_replaces_the_old_one_and_what_vanished_is_retired",
        "key": LANDING + "test_each_open_key_is_there_once",
        "modified_at": LANDING + "test_the_newer_of_two_versions_in_one_load_counts",
        "endpoint": LANDING + "test_first_load_flattens_objects_and_keeps_lists",
        "changes": VENDOR + "test_the_first_load_begins_at_initial_and_the_next_overlaps",
        "is_whole": RESHAPING + "test_of_a_table_that_is_read_as_a_whole_what_does_not_come_is_gone",
        "erased": ERASED + "test_a_row_that_says_so_erases_its_person",
        "deletions": LANDING + "test_archived_records_get_a_tombstone_once",
        "cursor": VENDOR + "test_the_first_load_begins_at_initial_and_the_next_overlaps",
        "cap": LANDING + "test_rows_that_share_one_instant_are_paged_by_their_id",
        "window": LANDING + "test_days_before_the_window_are_left_alone",
        "batch": VENDOR + "test_a_batch_holds_so_many_values",
        "deleted": VENDOR + "test_a_row_that_says_so_is_a_tombstone",
        "rename": LANDING + "test_graphql_pages_with_a_token_of_its_own",
        "files": FILES + "test_names_types_and_dates_come_from_the_declaration",
        "retyped_over": "tests/extraction/test_drift.py::test_the_share_from_which_a_column_is_retyped_is_declared",
    },
    "safar.catalogue.source.SourceExtract": {
        "erase": "tests/erasure/test_canary.py::test_the_vendors_were_asked_to_erase_the_person_too",
        "connection": "tests/extraction/test_bad_vendors.py::test_a_connection_without_a_secret_names_the_field",
        "client": VENDOR + "test_we_log_in_as_declared",
        "schedule": "tests/dags/test_source_schedules.py::test_a_source_is_extracted_when_its_yaml_says",
        "not_applicable": "tests/sources/test_every_fault.py::test_a_fault_is_tried_unless_the_source_says_why_it_cannot_be",
        "cadences": "tests/catalogue/test_source_cadences.py::test_a_build_waits_for_the_sources_of_its_cadence",
    },
}

NOT_SETTINGS = {
    "safar.catalogue.permission_rules.PermissionRules": "both seeds together; their rows are above",
    "safar.permission.proof.ConfirmedProof": "what a form or a vendor proved",
    "safar.permission.proof.StatedProof": "what a form or a vendor proved",
    "safar.catalogue.campaign.Step": "resolved from DeclaredStep",
    "safar.catalogue.campaign.Campaign": "resolved from DeclaredCampaign and Defaults",
    "safar.catalogue.frozen.Frozen": "has no field",
    "safar.catalogue.loading.Catalogue": "what was read",
    "safar.catalogue.source.Source": "resolved from SourceExtract",
    "safar.catalogue.source.Table": "resolved from a dbt table",
    "safar.connections.Connection": "Airflow's own form; what its extra may hold has models of its own",
    "safar.warehouse.pin.Pin": "written by `pin`",
    "safar.night.figures.SourceFigures": "a result",
    "safar.night.figures.CampaignFigures": "a result",
    "safar.night.figures.NightFigures": "a result",
}
