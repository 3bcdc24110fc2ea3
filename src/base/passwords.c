/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/passwords.h"

#include <crypt.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

#define LONGEST_NAME 64
#define LONGEST_FILE (1024L * 1024)
#define PREFIX "$y$" /* yescrypt */

bool passwords_is_name(const char *name)
{
	size_t length = strlen(name);

	for (const char *s = name; *s; s++)
		if (iscntrl((unsigned char)*s) || *s == ':')
			return false;
	return length > 0 && length <= LONGEST_NAME && *name != '#';
}

const struct passwords_user *passwords_find(const struct passwords *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->list[i].name, name) == 0)
			return &p->list[i];
	return NULL;
}

void passwords_set(struct passwords *p, const char *name, const char *owner, const char *hash)
{
	size_t i = 0;

	while (i < p->count && strcmp(p->list[i].name, name) != 0)
		i++;
	if (i == p->count) {
		p->list = mem_resize(p->list, p->count + 1, sizeof(*p->list));
		p->list[p->count++] = (struct passwords_user){.name = mem_strdup(name)};
	}
	mem_replace(&p->list[i].owner, owner);
	mem_replace(&p->list[i].hash, hash);
}

static void free_user(struct passwords_user *u)
{
	free(u->name);
	free(u->owner);
	free(u->hash);
}

bool passwords_remove(struct passwords *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->list[i].name, name) != 0)
			continue;
		free_user(&p->list[i]);
		memmove(&p->list[i], &p->list[i + 1], (p->count - i - 1) * sizeof(*p->list));
		p->count--;
		return true;
	}
	return false;
}

void passwords_free(struct passwords *p)
{
	for (size_t i = 0; i < p->count; i++)
		free_user(&p->list[i]);
	free(p->list);
	*p = (struct passwords){0};
}

/* ---- the file ---- */

static int check_rights(int fd, const char *path, char **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > LONGEST_FILE)
		return err_set(err, "%s is no file of users", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & 027))
		return err_set(err,
			       "%s must be root's, and only root may write and only its group may read it; "
			       "`chown root %s && chmod 0640 %s`",
			       path, path, path);
	return 0;
}

static int take_line(struct passwords *p, char *line, const char *path, unsigned number, char **err)
{
	char *owner, *hash;

	line[strcspn(line, "\n")] = '\0';
	if (!*line || *line == '#')
		return 0;
	owner = strchr(line, ':');
	hash = owner ? strchr(owner + 1, ':') : NULL;
	if (!hash || strchr(hash + 1, ':'))
		return err_set(err, "%s:%u: not NAME:OWNER:HASH; `xenbw passwd` makes such lines", path,
			       number);
	*owner++ = '\0';
	*hash++ = '\0';
	if (!passwords_is_name(line) || !passwords_is_name(owner) || passwords_find(p, line))
		return err_set(err, "%s:%u: the name is none, or stands there twice", path, number);
	passwords_set(p, line, owner, hash);
	return 0;
}

static int read_lines(struct passwords *p, FILE *in, const char *path, char **err)
{
	char *line = NULL;
	size_t room = 0;
	unsigned number = 0;
	ssize_t length;
	int rc = 0;

	while (rc == 0 && (length = getline(&line, &room, in)) >= 0) {
		number++;
		rc = strlen(line) == (size_t)length
			     ? take_line(p, line, path, number, err)
			     : err_set(err, "%s:%u: there is a NUL in it", path, number);
	}
	if (rc == 0 && ferror(in))
		rc = err_sys(err, "cannot read %s", path);
	free(line);
	return rc;
}

int passwords_read(struct passwords *p, const char *path, char **err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), rc;
	FILE *in;

	*p = (struct passwords){0};
	if (fd < 0)
		return errno == ENOENT ? 1 : err_sys(err, "cannot open %s", path);
	if (check_rights(fd, path, err) < 0) {
		close(fd);
		return -1;
	}
	in = fdopen(fd, "r");
	if (!in) {
		rc = err_sys(err, "cannot read %s", path);
		close(fd);
		return rc;
	}
	rc = read_lines(p, in, path, err);
	if (fclose(in) != 0 && rc == 0)
		rc = err_sys(err, "cannot read %s", path);
	if (rc < 0)
		passwords_free(p);
	return rc;
}

static int put_lines(const struct passwords *p, FILE *out)
{
	bool good = fputs("# NAME:OWNER:HASH, made by `xenbw passwd`\n", out) >= 0;

	for (size_t i = 0; good && i < p->count; i++)
		good = fprintf(out, "%s:%s:%s\n", p->list[i].name, p->list[i].owner, p->list[i].hash) > 0;
	return good ? 0 : -1;
}

int passwords_write(const struct passwords *p, const char *path, gid_t group, char **err)
{
	char *beside = mem_printf("%s.new", path);
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), rc = 0;
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!out) {
		rc = err_sys(err, "cannot write %s", beside);
		if (fd >= 0)
			close(fd);
	} else {
		if (fchown(fd, (uid_t)-1, group) < 0 || fchmod(fd, 0640) < 0 || put_lines(p, out) < 0 ||
		    fflush(out) != 0 || fsync(fd) < 0)
			rc = err_sys(err, "cannot write %s", beside);
		if (fclose(out) != 0 && rc == 0)
			rc = err_sys(err, "cannot write %s", beside);
		if (rc == 0 && rename(beside, path) < 0)
			rc = err_sys(err, "cannot put %s in place", path);
		if (rc < 0)
			(void)unlink(beside);
	}
	free(beside);
	return rc;
}

/* ---- hashes ---- */

/* What crypt(3) makes of both, allocated; NULL where it makes nothing. */
static char *crypted(const char *password, const char *setting)
{
	struct crypt_data *data = mem_alloc(sizeof(*data));
	const char *made = crypt_r(password, setting, data);
	char *hash = made && *made != '*' ? mem_strdup(made) : NULL;

	explicit_bzero(data, sizeof(*data));
	free(data);
	return hash;
}

char *passwords_hash(const char *password, char **err)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], *hash = NULL;

	if (crypt_gensalt_rn(PREFIX, 0, NULL, 0, setting, sizeof(setting)))
		hash = crypted(password, setting);
	if (!hash)
		err_sys(err, "cannot make a hash of the password");
	return hash;
}

bool passwords_same(const void *a, const void *b, size_t length)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char differs = 0;

	for (size_t i = 0; i < length; i++)
		differs |= x[i] ^ y[i];
	return differs == 0;
}

bool passwords_match(const char *hash, const char *password)
{
	char *made = strncmp(hash, PREFIX, strlen(PREFIX)) == 0 ? crypted(password, hash) : NULL;
	bool same = made && strlen(made) == strlen(hash) && passwords_same(made, hash, strlen(hash));

	free(made);
	return same;
}
