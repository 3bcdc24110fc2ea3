/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who is charged to which bucket, and what it is called then.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/bucket.h"
#include "base/mem.h"
#include "tests/support/unit.h"

#define NOW 1700000000
#define UUID_A "aaaaaaaa-0000-4000-8000-00000000000a"
#define UUID_B "bbbbbbbb-0000-4000-8000-00000000000b"
#define UUID_C "cccccccc-0000-4000-8000-00000000000c"

static struct buckets *fresh(void)
{
	struct ledger_state none = {.first_run = true};

	return buckets_new(&none);
}

/* A domain is (still) there; nothing is to be warned of. */
static int64_t here(struct buckets *b, unsigned domid, const char *uuid, const char *name)
{
	char *warning = NULL;
	int64_t id = buckets_of_domain(b, domid, uuid, name, NOW, &warning);

	if (warning)
		fail_msg("warning: %s", warning);
	return id;
}

/* As here, but its label had to differ, and the warning says both. */
static int64_t here_warned(struct buckets *b, unsigned domid, const char *uuid, const char *name,
			   const char *label)
{
	char *warning = NULL;
	int64_t id = buckets_of_domain(b, domid, uuid, name, NOW, &warning);

	assert_non_null(warning);
	assert_non_null(strstr(warning, name));
	assert_non_null(strstr(warning, label));
	free(warning);
	return id;
}

static void label_is(const struct buckets *b, int64_t id, const char *label)
{
	assert_string_equal(buckets_label(b, id), label);
}

static void all_of(const struct buckets *b, struct ledger_batch *batch)
{
	*batch = (struct ledger_batch){0};
	buckets_batch(b, batch);
}

static void free_batch(struct ledger_batch *batch)
{
	free(batch->buckets);
	free(batch->labels);
	free(batch->uuids);
}

/* Applies a first batch to an empty ledger state. */
static struct ledger_state stored(const struct buckets *b)
{
	struct ledger_state s = {0};
	struct ledger_batch batch;

	all_of(b, &batch);
	s.buckets = mem_array(batch.bucket_count, sizeof(*s.buckets));
	s.uuids = mem_array(batch.uuid_count, sizeof(*s.uuids));
	for (size_t i = 0; i < batch.bucket_count; i++) {
		s.buckets[s.bucket_count] = *batch.buckets[i];
		s.buckets[s.bucket_count].label = mem_strdup(buckets_label(b, batch.buckets[i]->id));
		if (batch.buckets[i]->id > s.last_bucket)
			s.last_bucket = batch.buckets[i]->id;
		s.bucket_count++;
	}
	for (size_t i = 0; i < batch.uuid_count; i++)
		s.uuids[s.uuid_count++] =
			(struct ledger_uuid){mem_strdup(batch.uuids[i]->uuid), batch.uuids[i]->bucket};
	free_batch(&batch);
	return s;
}

/* What a restart of the daemon makes of them: the ledger's view, with nobody attached. */
static struct buckets *restarted(struct buckets *b)
{
	struct ledger_state s = stored(b);
	struct buckets *again = buckets_new(&s);

	ledger_state_free(&s);
	buckets_free(b);
	return again;
}

static void a_new_domain_gets_a_bucket_with_its_name(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web"), db = here(b, 2, UUID_B, "db");

	(void)state;
	assert_int_equal(web, 1);
	assert_int_equal(db, 2);
	label_is(b, web, "web");
	label_is(b, db, "db");
	assert_int_equal(here(b, 1, UUID_A, "web"), web);
	assert_null(buckets_label(b, 99));
	buckets_free(b);
}

static void a_known_uuid_means_its_bucket_under_any_name_and_domid(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web");

	(void)state;
	assert_true(buckets_know(b, 9, UUID_A, NULL));
	assert_false(buckets_know(b, 9, UUID_B, NULL));
	buckets_release(b, 1);
	assert_int_equal(here(b, 7, UUID_A, "web"), web);
	buckets_release(b, 7);
	assert_int_equal(here(b, 9, UUID_A, "www"), web);
	label_is(b, web, "www");
	buckets_free(b);
}

static void a_reinstalled_guest_keeps_its_bucket_by_name(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web");

	(void)state;
	buckets_release(b, 1);
	assert_int_equal(here(b, 2, UUID_B, "web"), web);
	assert_true(buckets_know(b, 9, UUID_B, NULL));
	buckets_release(b, 2);
	assert_int_equal(here(b, 3, UUID_B, "web"), web);
	buckets_free(b);
}

static void a_rename_changes_the_label_and_rename_back_restores_it(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web");

	(void)state;
	assert_int_equal(here(b, 1, UUID_A, "www"), web);
	label_is(b, web, "www");
	assert_int_equal(here(b, 1, UUID_A, "web"), web);
	label_is(b, web, "web");
	buckets_free(b);
}

static void the_label_of_a_live_domain_is_never_taken_from_it(void **state)
{
	struct buckets *b = fresh();
	int64_t first = here(b, 1, UUID_A, "web"), second = here_warned(b, 2, UUID_B, "web", "web~2"), third;

	(void)state;
	assert_int_not_equal(first, second);
	label_is(b, first, "web");
	label_is(b, second, "web~2");
	third = here_warned(b, 3, UUID_C, "web", "web~3");
	label_is(b, third, "web~3");
	/* asked again: the same answer, and it was said once */
	assert_int_equal(here(b, 2, UUID_B, "web"), second);
	assert_int_equal(here(b, 1, UUID_A, "web"), first);
	assert_int_equal(here(b, 3, UUID_C, "web"), third);
	label_is(b, first, "web");
	label_is(b, second, "web~2");
	label_is(b, third, "web~3");
	buckets_free(b);
}

static void a_rename_onto_a_live_domains_name_becomes_a_variant(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web"), db = here(b, 2, UUID_B, "db");

	(void)state;
	assert_int_equal(here_warned(b, 2, UUID_B, "web", "web~2"), db);
	label_is(b, web, "web");
	label_is(b, db, "web~2");
	assert_int_equal(here(b, 2, UUID_B, "db"), db); /* and back */
	label_is(b, db, "db");
	buckets_free(b);
}

static void a_rename_onto_a_dead_buckets_label_takes_it_over(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web"), db = here(b, 2, UUID_B, "db");

	(void)state;
	buckets_release(b, 1);
	assert_int_equal(here_warned(b, 2, UUID_B, "web", "web~2"), db);
	label_is(b, db, "web");
	assert_string_not_equal(buckets_label(b, web), "web");
	/* the dead one's domain comes back while the other has its name: its own bucket still */
	assert_int_equal(here(b, 3, UUID_A, "web"), web);
	label_is(b, db, "web");
	label_is(b, web, "web~2");
	/* rename back: the name is free for the first */
	assert_int_equal(here(b, 2, UUID_B, "db"), db);
	assert_int_equal(here(b, 3, UUID_A, "web"), web);
	label_is(b, db, "db");
	label_is(b, web, "web");
	buckets_free(b);
}

static void two_domains_that_swap_their_names_swap_their_labels(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web"), db = here(b, 2, UUID_B, "db");
	char *warning = NULL;

	(void)state;
	for (int i = 0; i < 3; i++) { /* seen one after the other, then again until all is quiet */
		assert_int_equal(buckets_of_domain(b, 1, UUID_A, "db", NOW, &warning), web);
		free(warning);
		assert_int_equal(buckets_of_domain(b, 2, UUID_B, "web", NOW, &warning), db);
		free(warning);
	}
	label_is(b, web, "db");
	label_is(b, db, "web");
	buckets_free(b);
}

static void what_a_migration_adds_to_a_name_is_no_name(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web");

	(void)state;
	/* to this host itself: both at once, one bucket */
	assert_int_equal(here(b, 2, UUID_A, "web--incoming"), web);
	label_is(b, web, "web");
	assert_int_equal(here(b, 1, UUID_A, "web--migratedaway"), web);
	label_is(b, web, "web");
	assert_int_equal(here(b, 2, UUID_A, "web"), web);
	buckets_release(b, 1);
	label_is(b, web, "web");
	assert_int_equal(here(b, 2, UUID_A, "web"), web);
	label_is(b, web, "web");
	buckets_free(b);
}

static void a_domain_that_comes_in_gets_its_name_without_the_suffix(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 5, UUID_A, "web--incoming");

	(void)state;
	label_is(b, web, "web");
	assert_int_equal(here(b, 5, UUID_A, "web"), web);
	label_is(b, web, "web");
	buckets_free(b);
}

static void a_rename_while_it_migrates_away_is_not_followed(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 5, UUID_A, "web");

	(void)state;
	assert_int_equal(here(b, 5, UUID_A, "something--migratedaway"), web);
	label_is(b, web, "web");
	buckets_free(b);
}

static void a_domain_without_uuid_is_known_by_its_name(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, NULL, "web");

	(void)state;
	label_is(b, web, "web");
	assert_int_equal(here(b, 1, NULL, "web"), web);
	assert_int_equal(here(b, 1, UUID_A, "web"), web); /* it has one after all */
	assert_true(buckets_know(b, 9, UUID_A, NULL));
	buckets_release(b, 1);
	assert_int_equal(here(b, 4, NULL, "web"), web);
	buckets_free(b);
}

static void a_domain_without_a_name_is_called_by_its_domid_until_it_has_one(void **state)
{
	struct buckets *b = fresh();
	int64_t some = here(b, 7, UUID_A, NULL);

	(void)state;
	label_is(b, some, "domain-7");
	assert_int_equal(here(b, 7, UUID_A, ""), some);
	label_is(b, some, "domain-7");
	assert_int_equal(here(b, 7, UUID_A, "web"), some);
	label_is(b, some, "web");
	assert_int_equal(here(b, 7, UUID_A, NULL), some); /* not readable for a moment: no rename */
	label_is(b, some, "web");
	buckets_free(b);
}

/* Domids are given out again after each boot. */
static void two_nameless_domains_of_different_lives_are_not_one(void **state)
{
	struct buckets *b = fresh();
	int64_t first = here(b, 7, UUID_A, NULL), second;
	char *warning = NULL;

	(void)state;
	buckets_release(b, 7);
	second = buckets_of_domain(b, 7, UUID_B, NULL, NOW, &warning);
	free(warning);
	assert_int_not_equal(first, second);
	buckets_free(b);
}

static void a_known_uuid_that_is_learned_late_still_means_its_bucket(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web");
	char *warning = NULL;

	(void)state;
	buckets_release(b, 1);
	assert_int_not_equal(here(b, 2, NULL, NULL), web); /* nothing is known of it yet */
	assert_int_equal(buckets_of_domain(b, 2, UUID_A, "web", NOW, &warning), web);
	free(warning);
	label_is(b, web, "web");
	assert_int_equal(here(b, 2, UUID_A, "web"), web);
	buckets_release(b, 2);
	assert_int_equal(here(b, 3, UUID_A, "web"), web);
	label_is(b, web, "web");
	buckets_free(b);
}

static void a_released_label_is_free_only_when_its_last_domain_is_gone(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web");

	(void)state;
	assert_int_equal(here(b, 2, UUID_A, "web"), web);
	buckets_release(b, 1);
	buckets_release(b, 1); /* twice is once */
	assert_int_not_equal(here_warned(b, 3, UUID_B, "web", "web~2"), web);
	buckets_release(b, 2);
	buckets_release(b, 77); /* never seen */
	assert_int_equal(here(b, 4, UUID_C, "web"), web);
	buckets_free(b);
}

static void after_a_restart_all_is_as_it_was(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web"), second = here_warned(b, 2, UUID_B, "web", "web~2");
	int64_t address = buckets_of_address(b, "10.0.0.1", NOW);
	struct ledger_batch batch;

	(void)state;
	b = restarted(b);
	all_of(b, &batch); /* the ledger knows all of it */
	assert_int_equal(batch.bucket_count + batch.label_count + batch.uuid_count, 0);
	free_batch(&batch);
	label_is(b, web, "web");
	label_is(b, second, "web~2");
	label_is(b, address, "10.0.0.1");
	assert_int_equal(buckets_of_address(b, "10.0.0.1", NOW), address);
	buckets_attach(b, 1, web, UUID_A, "web");
	buckets_attach(b, 2, second, UUID_B, "web");
	assert_int_equal(here(b, 2, UUID_B, "web"), second); /* no matter who is seen first, nor a warning */
	assert_int_equal(here(b, 1, UUID_A, "web"), web);
	label_is(b, web, "web");
	label_is(b, second, "web~2");
	assert_true(here(b, 3, UUID_C, "new") > address); /* ids go on */
	buckets_free(b);
}

static void a_bucket_that_was_attached_is_in_use(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web");

	(void)state;
	b = restarted(b);
	buckets_attach(b, 1, web, UUID_A, "web");
	assert_int_not_equal(here_warned(b, 2, UUID_B, "web", "web~2"), web);
	buckets_attach(b, 9, 4711, UUID_B, "db"); /* a bucket that does not exist: nothing */
	buckets_free(b);
}

static void the_batch_holds_what_is_new_until_it_is_committed(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web");
	struct ledger_batch batch;

	(void)state;
	here(b, 1, UUID_A, "www");
	for (int i = 0; i < 2; i++) { /* offered again unchanged */
		all_of(b, &batch);
		assert_int_equal(batch.bucket_count, 1);
		assert_int_equal(batch.buckets[0]->id, web);
		assert_false(batch.buckets[0]->by_ip);
		assert_int_equal(batch.uuid_count, 1);
		assert_string_equal(batch.uuids[0]->uuid, UUID_A);
		assert_int_equal(batch.uuids[0]->bucket, web);
		assert_int_equal(batch.label_count, 2);
		assert_string_equal(batch.labels[0]->label, "web");
		assert_string_equal(batch.labels[1]->label, "www");
		assert_int_equal(batch.labels[0]->bucket, web);
		assert_int_equal(batch.labels[0]->since, NOW);
		free_batch(&batch);
	}
	buckets_committed(b);
	all_of(b, &batch);
	assert_int_equal(batch.bucket_count + batch.label_count + batch.uuid_count, 0);
	free_batch(&batch);
	here(b, 1, UUID_A, "web");
	all_of(b, &batch);
	assert_int_equal(batch.bucket_count + batch.uuid_count, 0);
	assert_int_equal(batch.label_count, 1);
	free_batch(&batch);
	buckets_free(b);
}

static void an_address_has_a_bucket_of_its_own_kind(void **state)
{
	struct buckets *b = fresh();
	int64_t one = buckets_of_address(b, "10.0.0.1", NOW), two = buckets_of_address(b, "2001:db8::1", NOW);
	struct ledger_batch batch;

	(void)state;
	assert_int_not_equal(one, two);
	assert_int_equal(buckets_of_address(b, "10.0.0.1", NOW), one);
	label_is(b, two, "2001:db8::1");
	all_of(b, &batch);
	assert_true(batch.buckets[0]->by_ip && batch.buckets[1]->by_ip);
	free_batch(&batch);
	buckets_free(b);
}

static void a_domain_called_like_an_address_does_not_share_its_bucket(void **state)
{
	struct buckets *b = fresh();
	int64_t address = buckets_of_address(b, "10.0.0.1", NOW), domain;

	(void)state;
	domain = here_warned(b, 1, UUID_A, "10.0.0.1", "10.0.0.1~2");
	assert_int_not_equal(address, domain);
	label_is(b, address, "10.0.0.1");
	assert_int_equal(here(b, 1, UUID_A, "10.0.0.1"), domain);
	assert_int_equal(buckets_of_address(b, "10.0.0.1", NOW), address);
	buckets_free(b);
}

static void an_address_does_not_share_the_bucket_of_a_domain_called_like_it(void **state)
{
	struct buckets *b = fresh();
	int64_t domain = here(b, 1, UUID_A, "10.0.0.1"), address = buckets_of_address(b, "10.0.0.1", NOW);

	(void)state;
	assert_int_not_equal(address, domain);
	assert_int_equal(buckets_of_address(b, "10.0.0.1", NOW), address);
	assert_int_equal(here(b, 1, UUID_A, "10.0.0.1"), domain);
	assert_string_not_equal(buckets_label(b, address), buckets_label(b, domain));
	assert_int_equal(buckets_of_address(b, "10.0.0.1", NOW), address);
	buckets_free(b);
}

/* ---- a configuration that was copied with its uuid ---- */

static void a_copied_uuid_is_told_and_gets_its_own_bucket(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web"), db;
	struct ledger_batch batch;
	char *warning = NULL;

	(void)state;
	assert_true(buckets_know(b, 2, UUID_A, "web--incoming"));
	assert_false(buckets_know(b, 2, UUID_A, "db"));
	db = buckets_of_domain(b, 2, UUID_A, "db", NOW, &warning);
	assert_non_null(warning);
	assert_non_null(strstr(warning, UUID_A));
	assert_non_null(strstr(warning, "web"));
	assert_non_null(strstr(warning, "of its own, db;"));
	free(warning);
	assert_int_not_equal(web, db);
	for (int i = 0; i < 9; i++) { /* told once, and no label swings */
		assert_int_equal(here(b, 1, UUID_A, "web"), web);
		assert_int_equal(here(b, 2, UUID_A, "db"), db);
		assert_int_equal(here(b, 2, UUID_A, NULL), db);
	}
	assert_true(buckets_know(b, 2, UUID_A, "db"));
	all_of(b, &batch);
	assert_int_equal(batch.label_count, 2);
	assert_int_equal(batch.uuid_count, 2);
	free_batch(&batch);
	label_is(b, web, "web");
	label_is(b, db, "db");
	buckets_free(b);
}

/* web and db, which was told, under one uuid. */
static struct buckets *two_of_one_uuid(int64_t *web, int64_t *db)
{
	struct buckets *b = fresh();

	*web = here(b, 1, UUID_A, "web");
	*db = here_warned(b, 2, UUID_A, "db", UUID_A);
	return b;
}

static void of_two_domains_of_one_uuid_each_keeps_its_bucket(void **state)
{
	int64_t web, db;
	struct buckets *b = two_of_one_uuid(&web, &db);

	(void)state;
	buckets_release(b, 1); /* the first one ends, the second goes on, and is started again */
	assert_int_equal(here(b, 2, UUID_A, "db"), db);
	buckets_release(b, 2);
	assert_int_equal(here(b, 3, UUID_A, "db"), db);
	assert_int_equal(here(b, 4, UUID_A, "web"), web);
	/* the host is booted again, and the second one comes first, or restored, or to this host itself */
	buckets_release(b, 3);
	buckets_release(b, 4);
	b = restarted(b);
	assert_int_equal(here(b, 5, UUID_A, "db"), db);
	assert_int_equal(here(b, 6, UUID_A, "db--incoming"), db);
	assert_int_equal(here(b, 7, UUID_A, "web--incoming"), web);
	assert_int_equal(here(b, 5, UUID_A, "db--migratedaway"), db);
	assert_int_equal(here(b, 6, UUID_A, "db"), db);
	label_is(b, web, "web");
	label_is(b, db, "db");
	/* the admin mends it: known by its name */
	buckets_release(b, 5);
	buckets_release(b, 6);
	assert_int_equal(here(b, 8, UUID_B, "db"), db);
	buckets_free(b);
}

static void of_two_domains_of_one_uuid_each_can_be_renamed(void **state)
{
	int64_t web, db;
	struct buckets *b = two_of_one_uuid(&web, &db);

	(void)state;
	assert_int_equal(here(b, 2, UUID_A, "sql"), db);
	assert_int_equal(here(b, 1, UUID_A, "www"), web);
	label_is(b, web, "www");
	label_is(b, db, "sql");
	buckets_release(b, 1);
	buckets_release(b, 2);
	assert_int_equal(here(b, 3, UUID_A, "sql"), db);
	assert_int_equal(here(b, 4, UUID_A, "www"), web);
	buckets_free(b);
}

static void of_two_domains_of_one_uuid_each_keeps_its_bucket_over_a_restart(void **state)
{
	int64_t web, db;
	struct buckets *b = two_of_one_uuid(&web, &db);

	(void)state;
	b = restarted(b);
	buckets_attach(b, 1, web, UUID_A, "web");
	buckets_attach(b, 2, db, UUID_A, "db");
	assert_int_equal(here(b, 2, UUID_A, "sql"), db); /* renamed while nobody looked */
	assert_int_equal(here(b, 1, UUID_A, "www"), web);
	label_is(b, web, "www");
	label_is(b, db, "sql");
	buckets_free(b);
}

/* Name or uuid are not known yet when it is first seen. */
static void a_copied_uuid_that_is_learned_late_gets_its_own_bucket(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web"), db = here(b, 2, NULL, "db"), mail;

	(void)state;
	assert_int_equal(here_warned(b, 2, UUID_A, "db", UUID_A), db);
	assert_int_equal(here(b, 2, UUID_A, "db"), db);
	assert_int_equal(here(b, 3, UUID_A, NULL), web);
	mail = here_warned(b, 3, UUID_A, "mail", UUID_A);
	assert_true(mail != web && mail != db);
	assert_int_equal(here(b, 3, UUID_A, "mail"), mail);
	label_is(b, web, "web");
	buckets_free(b);
}

/* What a migration has left over is renamed: it has been one domain, and stays it. */
static void two_domains_of_one_bucket_do_not_turn_its_label_about(void **state)
{
	struct buckets *b = fresh();
	int64_t web = here(b, 1, UUID_A, "web");

	(void)state;
	assert_int_equal(here(b, 2, UUID_A, "web--incoming"), web);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(here(b, 2, UUID_A, "old"), web);
		assert_int_equal(here(b, 1, UUID_A, "web"), web);
		label_is(b, web, "web");
	}
	buckets_release(b, 1);
	here(b, 2, UUID_A, "old");
	label_is(b, web, "old");
	buckets_free(b);
}

/* ---- any life at all ---- */

#define DOMIDS 12
#define MOST_BUCKETS 4000

/* Applies the batch's labels in order, as the ledger does, and holds that no two buckets share a present one.
 */
static void apply_labels(const struct buckets *b, char *present[MOST_BUCKETS])
{
	struct ledger_batch batch;

	all_of(b, &batch);
	for (size_t i = 0; i < batch.label_count; i++) {
		int64_t id = batch.labels[i]->bucket;

		assert_true(id > 0 && id < MOST_BUCKETS);
		free(present[id]);
		present[id] = mem_strdup(batch.labels[i]->label);
		for (int64_t k = 1; k < MOST_BUCKETS; k++)
			if (k != id && present[k] && strcmp(present[k], present[id]) == 0)
				fail_msg("buckets %d and %d are both called %s", (int)k, (int)id, present[k]);
	}
	free_batch(&batch);
}

static void no_two_buckets_ever_share_a_present_label(void **state)
{
	static const char *const names[] = {"web",
					    "db",
					    "web~2",
					    "web~3",
					    "10.0.0.1",
					    "domain-3",
					    "10.0.0.2",
					    "web--incoming",
					    "db--migratedaway",
					    "mail",
					    "",
					    NULL};
	struct random r = random_new();

	(void)state;
	for (int life = 0; life < 200; life++) {
		struct buckets *b = fresh();
		char *present[MOST_BUCKETS] = {0};
		struct {
			bool live, named;
			char uuid[40];
			bool has_uuid;
			int64_t bucket;
			const char *name;
		} domains[DOMIDS] = {0};

		for (int step = 0; step < 200; step++) {
			unsigned domid = (unsigned)random_below(&r, DOMIDS);
			char *warning = NULL;

			switch (random_below(&r, 6)) {
			case 0:
				buckets_release(b, domid);
				domains[domid].live = false;
				break;
			case 1:
				(void)buckets_of_address(b, random_below(&r, 2) ? "10.0.0.1" : "10.0.0.2",
							 NOW);
				break;
			default:
				if (!domains[domid].live) {
					domains[domid].live = true;
					domains[domid].bucket = 0;
					domains[domid].named = false;
					domains[domid].has_uuid = random_below(&r, 4) != 0;
					snprintf(domains[domid].uuid, sizeof(domains[domid].uuid), "uuid-%u",
						 (unsigned)random_below(&r, 30));
				}
				if (random_below(&r, 3) == 0 || !domains[domid].bucket)
					domains[domid].name =
						names[random_below(&r, sizeof(names) / sizeof(names[0]))];
				{
					int64_t id = buckets_of_domain(
						b, domid,
						domains[domid].has_uuid ? domains[domid].uuid : NULL,
						domains[domid].name, NOW, &warning);

					/* a domain stays with its bucket for life, once it has a name */
					if (domains[domid].named)
						assert_int_equal(id, domains[domid].bucket);
					domains[domid].named |= domains[domid].name && *domains[domid].name;
					domains[domid].bucket = id;
				}
				free(warning);
			}
			apply_labels(b, present);
			buckets_committed(b);
			for (unsigned d = 0; d < DOMIDS; d++)
				if (domains[d].live)
					assert_string_equal(buckets_label(b, domains[d].bucket),
							    present[domains[d].bucket]);
		}
		for (size_t i = 0; i < MOST_BUCKETS; i++)
			free(present[i]);
		buckets_free(b);
	}
}

static void dom0s_label_is_dom0s_whoever_came_first(void **state)
{
	struct buckets *b = fresh();
	int64_t guest = here_warned(b, 5, UUID_A, "Domain-0", "Domain-0~2");
	int64_t dom0 = here(b, 0, BUCKET_DOM0_UUID, "Domain-0");

	(void)state;
	assert_int_not_equal(guest, dom0);
	label_is(b, dom0, "Domain-0");
	label_is(b, guest, "Domain-0~2");
	assert_int_equal(here(b, 5, UUID_A, "Domain-0"), guest);
	b = restarted(b); /* the guest is seen first again, and another one that takes the name later */
	assert_int_equal(here(b, 5, UUID_A, "Domain-0"), guest);
	here(b, 6, UUID_B, "web");
	assert_int_equal(here(b, 0, BUCKET_DOM0_UUID, "Domain-0"), dom0);
	here_warned(b, 6, UUID_B, "Domain-0", "Domain-0~3");
	buckets_release(b, 0);
	here_warned(b, 7, UUID_C, "Domain-0", "Domain-0~4");
	here_warned(b, 8, BUCKET_DOM0_UUID, "Domain-0", "Domain-0~5"); /* under dom0's uuid, too */
	label_is(b, dom0, "Domain-0");
	buckets_free(b);
}

/* A ledger of before dom0 was counted. */
static void a_guest_that_has_dom0s_label_gives_it_up(void **state)
{
	char label[] = "Domain-0", guest[] = UUID_A;
	struct ledger_bucket row = {.id = 4, .label = label};
	struct ledger_uuid uuid = {guest, 4};
	struct ledger_state s = {
		.last_bucket = 4, .buckets = &row, .bucket_count = 1, .uuids = &uuid, .uuid_count = 1};
	struct buckets *b = buckets_new(&s);

	(void)state;
	buckets_attach(b, 5, 4, UUID_A, "Domain-0");
	label_is(b, here(b, 0, BUCKET_DOM0_UUID, "Domain-0"), "Domain-0");
	label_is(b, 4, "Domain-0~2");
	assert_int_equal(here(b, 5, UUID_A, "Domain-0"), 4);
	label_is(b, 4, "Domain-0~2");
	buckets_free(b);
}

static void a_domain_is_not_attached_to_an_address(void **state)
{
	struct buckets *b = fresh();
	int64_t address = buckets_of_address(b, "10.0.0.1", NOW);

	(void)state;
	buckets_attach(b, 5, address, NULL, NULL);
	assert_int_not_equal(here(b, 5, NULL, "web"), address);
	label_is(b, address, "10.0.0.1");
	here_warned(b, 5, NULL, "10.0.0.1", "10.0.0.1~2");
	label_is(b, address, "10.0.0.1");
	buckets_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_domain_gets_a_bucket_with_its_name),
		cmocka_unit_test(a_known_uuid_means_its_bucket_under_any_name_and_domid),
		cmocka_unit_test(a_reinstalled_guest_keeps_its_bucket_by_name),
		cmocka_unit_test(a_rename_changes_the_label_and_rename_back_restores_it),
		cmocka_unit_test(the_label_of_a_live_domain_is_never_taken_from_it),
		cmocka_unit_test(a_rename_onto_a_live_domains_name_becomes_a_variant),
		cmocka_unit_test(a_rename_onto_a_dead_buckets_label_takes_it_over),
		cmocka_unit_test(two_domains_that_swap_their_names_swap_their_labels),
		cmocka_unit_test(what_a_migration_adds_to_a_name_is_no_name),
		cmocka_unit_test(a_domain_that_comes_in_gets_its_name_without_the_suffix),
		cmocka_unit_test(a_rename_while_it_migrates_away_is_not_followed),
		cmocka_unit_test(a_domain_without_uuid_is_known_by_its_name),
		cmocka_unit_test(a_domain_without_a_name_is_called_by_its_domid_until_it_has_one),
		cmocka_unit_test(two_nameless_domains_of_different_lives_are_not_one),
		cmocka_unit_test(a_known_uuid_that_is_learned_late_still_means_its_bucket),
		cmocka_unit_test(a_released_label_is_free_only_when_its_last_domain_is_gone),
		cmocka_unit_test(after_a_restart_all_is_as_it_was),
		cmocka_unit_test(a_bucket_that_was_attached_is_in_use),
		cmocka_unit_test(the_batch_holds_what_is_new_until_it_is_committed),
		cmocka_unit_test(an_address_has_a_bucket_of_its_own_kind),
		cmocka_unit_test(a_domain_called_like_an_address_does_not_share_its_bucket),
		cmocka_unit_test(an_address_does_not_share_the_bucket_of_a_domain_called_like_it),
		cmocka_unit_test(dom0s_label_is_dom0s_whoever_came_first),
		cmocka_unit_test(a_guest_that_has_dom0s_label_gives_it_up),
		cmocka_unit_test(a_domain_is_not_attached_to_an_address),
		cmocka_unit_test(a_copied_uuid_is_told_and_gets_its_own_bucket),
		cmocka_unit_test(of_two_domains_of_one_uuid_each_keeps_its_bucket),
		cmocka_unit_test(of_two_domains_of_one_uuid_each_can_be_renamed),
		cmocka_unit_test(of_two_domains_of_one_uuid_each_keeps_its_bucket_over_a_restart),
		cmocka_unit_test(a_copied_uuid_that_is_learned_late_gets_its_own_bucket),
		cmocka_unit_test(two_domains_of_one_bucket_do_not_turn_its_label_about),
		cmocka_unit_test(no_two_buckets_ever_share_a_present_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
