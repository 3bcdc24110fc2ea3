/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/quotas.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/lines.h"

#define USAGE                                                                                               \
	"write `quota NAME PERIOD CLASS DIRECTION SIZE`, such as `quota web billing charged both 2TB warn " \
	"80,95`"
#define OWNER "owner:"

static const char *const period_words[QUOTA_PERIODS] = {
	[QUOTA_BILLING] = "billing", [QUOTA_MONTH] = "month", [QUOTA_DAY] = "day"};
static const char *const class_words[QUOTA_CLASSES] = {
	[CLASS_EXTERNAL] = "external", [CLASS_PEER] = "peer",       [CLASS_DIRECT] = "direct",
	[CLASS_LOCAL] = "local",       [CLASS_IGNORED] = "ignored", [CLASS_UNATTRIBUTED] = "unattributed",
	[QUOTA_CHARGED] = "charged",   [QUOTA_ALL] = "all"};
static const char *const direction_words[QUOTA_DIRECTIONS] = {
	[QUOTA_INPUT] = "input", [QUOTA_OUTPUT] = "output", [QUOTA_BOTH] = "both", [QUOTA_LARGER] = "larger"};

static const struct unit {
	const char *word;
	uint64_t bytes;
} units[] = {/* the largest first, for printing */
	     {"PiB", UINT64_C(1) << 50}, {"PB", UINT64_C(1000000000000000)},
	     {"TiB", UINT64_C(1) << 40}, {"TB", UINT64_C(1000000000000)},
	     {"GiB", UINT64_C(1) << 30}, {"GB", UINT64_C(1000000000)},
	     {"MiB", UINT64_C(1) << 20}, {"MB", UINT64_C(1000000)},
	     {"KiB", UINT64_C(1) << 10}, {"kB", UINT64_C(1000)}};

#define UNITS (sizeof(units) / sizeof(*units))

const char *quota_period_word(unsigned period)
{
	return period < QUOTA_PERIODS ? period_words[period] : NULL;
}

const char *quota_class_word(unsigned class)
{
	return class < QUOTA_CLASSES ? class_words[class] : NULL;
}

const char *quota_direction_word(unsigned direction)
{
	return direction < QUOTA_DIRECTIONS ? direction_words[direction] : NULL;
}

/* ---- one word ---- */

/* The number of the word in the list; an error that names them all. */
static int read_word(const char *word, const char *const *list, unsigned count, const char *what, char **err)
{
	char *all = NULL;

	for (unsigned i = 0; word && i < count; i++)
		if (strcasecmp(word, list[i]) == 0)
			return (int)i;
	for (unsigned i = 0; i < count; i++) {
		char *more = mem_printf("%s%s%s", all ? all : "", all ? ", " : "", list[i]);

		free(all);
		all = more;
	}
	if (word)
		err_set(err, "`%s` is no %s of a quota: %s", word, what, all);
	else
		err_set(err, "the quota has no %s (%s); " USAGE, what, all);
	free(all);
	return -1;
}

/* What stands behind the digits: a factor, 0 where it is none. One letter is short for the decimal unit. */
static uint64_t factor_of(const char *unit)
{
	if (!*unit || strcasecmp(unit, "B") == 0)
		return 1;
	for (size_t i = 0; i < UNITS; i++)
		if (strcasecmp(unit, units[i].word) == 0 ||
		    (strlen(unit) == 1 && strlen(units[i].word) == 2 &&
		     tolower((unsigned char)*unit) == tolower((unsigned char)*units[i].word)))
			return units[i].bytes;
	return 0;
}

/* "1500", "2TB", "1.5TiB"; at most three digits behind the point. */
static int read_size(const char *word, uint64_t *out, char **err)
{
	size_t digits = strspn(word, "0123456789"), decimals = 0;
	const char *rest = word + digits;
	uint64_t whole = 0, part = 0, factor;
	char *number = mem_strndup(word, digits);
	bool good = text_u64(number, 0, QUOTA_MOST_BYTES, &whole);

	free(number);
	if (*rest == '.')
		for (rest++; isdigit((unsigned char)*rest) && decimals < 3; rest++, decimals++)
			part = part * 10 + (uint64_t)(*rest - '0');
	good = good && (rest == word + digits || decimals > 0);
	factor = factor_of(rest);
	if (!good || factor == 0 || (decimals && factor == 1))
		return err_set(err,
			       "`%s` is no size; write bytes, or kB, MB, GB, TB (KiB, MiB, GiB, TiB) behind "
			       "the number",
			       word);
	for (; decimals < 3; decimals++)
		part *= 10;
	*out = whole > QUOTA_MOST_BYTES / factor
		       ? UINT64_MAX
		       : whole * factor + factor / 1000 * part + factor % 1000 * part / 1000;
	if (*out > QUOTA_MOST_BYTES)
		return err_set(err, "`%s` is more than a quota can be (%" PRIu64 " bytes)", word,
			       QUOTA_MOST_BYTES);
	return *out ? 0 : err_set(err, "a quota of 0 bytes is reached at once; leave it out");
}

static int add_mark(struct quota *q, unsigned percent, char **err)
{
	size_t at = 0;

	while (at < q->mark_count && q->marks[at] < percent)
		at++;
	if (at < q->mark_count && q->marks[at] == percent)
		return 0;
	if (q->mark_count == QUOTA_MARKS)
		return err_set(err, "`warn` has more than %d percentages", QUOTA_MARKS - 1);
	memmove(&q->marks[at + 1], &q->marks[at], (q->mark_count - at) * sizeof(*q->marks));
	q->marks[at] = percent;
	q->mark_count++;
	return 0;
}

static int read_marks(struct quota *q, const char *word, char **err)
{
	int rc = 0;

	while (rc == 0) {
		size_t length = strcspn(word, ",");
		char *number = mem_strndup(word, length);
		uint64_t percent;

		rc = text_u64(number, 1, QUOTA_MOST_PERCENT, &percent)
			     ? add_mark(q, (unsigned)percent, err)
			     : err_set(err, "`%s` is not a percentage from 1 to %d; write `warn 80,95`",
				       number, QUOTA_MOST_PERCENT);
		free(number);
		if (!word[length])
			break;
		word += length + 1;
	}
	return rc;
}

/* ---- one line ---- */

static int read_name(struct quota *q, const char *word, char **err)
{
	q->of_owner = strncasecmp(word, OWNER, strlen(OWNER)) == 0;
	if (q->of_owner)
		word += strlen(OWNER);
	if (!*word)
		return err_set(err, "the quota has no name; " USAGE);
	if (strlen(word) >= CROSSING_NAME)
		return err_set(err, "the name is too long (%zu bytes, at most %d)", strlen(word),
			       CROSSING_NAME - 1);
	for (const char *p = word; *p; p++)
		if (iscntrl((unsigned char)*p))
			return err_set(err, "the name of a quota holds a control character");
	q->name = mem_strdup(word);
	return 0;
}

enum { NAME, PERIOD, CLASS, DIRECTION, SIZE, WARN, PERCENTS, BEYOND, WORDS };

static int read_kind(struct quota *q, char *const words[WORDS], char **err)
{
	int period = read_word(words[PERIOD], period_words, QUOTA_PERIODS, "period", err);
	int class = period < 0 ? -1 : read_word(words[CLASS], class_words, QUOTA_CLASSES, "class", err);
	int direction =
		class < 0 ? -1
			  : read_word(words[DIRECTION], direction_words, QUOTA_DIRECTIONS, "direction", err);

	if (direction < 0)
		return -1;
	q->period = (enum quota_period)period;
	q->class = (enum quota_class) class;
	q->direction = (enum quota_direction)direction;
	return 0;
}

static int read_line(struct quota *q, char *const words[WORDS], char **err)
{
	if (!words[NAME])
		return err_set(err, USAGE);
	if (read_name(q, words[NAME], err) < 0 || read_kind(q, words, err) < 0)
		return -1;
	if (!words[SIZE])
		return err_set(err, "the quota has no size; " USAGE);
	if (read_size(words[SIZE], &q->bytes, err) < 0 || add_mark(q, 100, err) < 0)
		return -1;
	if (words[BEYOND] || (words[WARN] && (strcasecmp(words[WARN], "warn") != 0 || !words[PERCENTS])))
		return err_set(err,
			       "behind the size only `warn` and percentages can stand, such as `warn 80,95`");
	return words[WARN] ? read_marks(q, words[PERCENTS], err) : 0;
}

static bool is_same(const struct quota *a, const struct quota *b)
{
	return a->of_owner == b->of_owner && strcmp(a->name, b->name) == 0 && a->period == b->period &&
	       a->class == b->class && a->direction == b->direction;
}

int quotas_add(struct quotas *q, const char *value, char **err)
{
	char *words[WORDS] = {NULL};
	struct quota fresh = {0};
	int rc;

	for (int i = 0; i < WORDS && (i == 0 || words[i - 1]); i++)
		words[i] = lines_next_word(&value);
	rc = read_line(&fresh, words, err);
	for (size_t i = 0; rc == 0 && fresh.name && i < q->count; i++)
		if (is_same(&q->list[i], &fresh))
			rc = err_set(err, "%s%s has a quota of that kind already",
				     fresh.of_owner ? OWNER : "", fresh.name);
	for (int i = 0; i < WORDS; i++)
		free(words[i]);
	if (rc < 0) {
		free(fresh.name);
		return -1;
	}
	q->list = mem_resize(q->list, q->count + 1, sizeof(*q->list));
	q->list[q->count++] = fresh;
	return 0;
}

/* ---- printing ---- */

static void print_size(uint64_t bytes, FILE *out)
{
	for (size_t i = 0; i < UNITS; i++)
		if (bytes % units[i].bytes == 0) {
			fprintf(out, "%" PRIu64 "%s", bytes / units[i].bytes, units[i].word);
			return;
		}
	fprintf(out, "%" PRIu64, bytes);
}

void quotas_print(const struct quotas *q, const char *head, FILE *out)
{
	for (size_t i = 0; i < q->count; i++) {
		const struct quota *one = &q->list[i];
		const char *before = " warn ";

		fprintf(out, "%s%s%s %s %s %s ", head, one->of_owner ? OWNER : "", one->name,
			period_words[one->period], class_words[one->class], direction_words[one->direction]);
		print_size(one->bytes, out);
		for (size_t m = 0; m < one->mark_count; m++) {
			if (one->marks[m] == 100)
				continue;
			fprintf(out, "%s%u", before, one->marks[m]);
			before = ",";
		}
		fputc('\n', out);
	}
}

void quotas_free(struct quotas *q)
{
	for (size_t i = 0; i < q->count; i++)
		free(q->list[i].name);
	free(q->list);
	*q = (struct quotas){0};
}
