/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "web/html.h"
#include "web/pages.h"

#define SESSION_COOKIE "xenbw"
#define LOGIN_COOKIE "xenbw-login"
#define COOKIE_ATTRIBUTES "; Path=/; HttpOnly; SameSite=Strict"

/* ---- answers ---- */

int answer_init(struct answer *a, char **err)
{
	*a = (struct answer){.status = 200, .type = "text/html; charset=utf-8"};
	a->out = open_memstream(&a->body, &a->length);
	return a->out ? 0 : err_sys(err, "cannot make an answer");
}

void answer_free(struct answer *a)
{
	if (a->out)
		(void)fclose(a->out); /* it is memory, and thrown away */
	free(a->body);
	free(a->cookie);
}

static const char *words_of(int status)
{
	static const struct {
		int status;
		const char *words;
	} all[] = {{400, "This cannot be asked"},
		   {401, "Log in first"},
		   {403, "Not allowed"},
		   {404, "There is no such page"},
		   {405, "Not so"},
		   {421, "Not under this name"},
		   {429, "Too many tries"},
		   {500, "Something went wrong"},
		   {503, "Not now"}};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].status == status)
			return all[i].words;
	return "No";
}

/* A JSON string without a library: the text is printable then. */
static void put_json(FILE *out, const char *text)
{
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text >= ' ')
			fputc(*text, out);
}

void answer_error(struct answer *a, int status, const char *path, const char *text)
{
	a->status = status;
	rewind(a->out); /* what was written is overwritten, and cut off behind this */
	if (strncmp(path, "/api/", 5) == 0) {
		a->type = "application/json";
		fputs("{\"format\": 1, \"error\": \"", a->out);
		put_json(a->out, text ? text : words_of(status));
		fputs("\"}\n", a->out);
		return;
	}
	html_begin(a->out, words_of(status), NULL);
	if (text) {
		fputs("<p>", a->out);
		html_text(a->out, text);
		fputs("</p>\n", a->out);
	}
	fputs("<p><a href=\"/\">To the overview</a></p>\n", a->out);
	html_end(a->out);
}

/* ---- who it is ---- */

int web_init(struct web *w, const struct conf *conf, char **err)
{
	*w = (struct web){.conf = *conf};
	w->nobodys_hash = passwords_hash("nobody", err);
	return w->nobodys_hash ? throttle_init(&w->throttle, err) : -1;
}

void web_free(struct web *w)
{
	sessions_free(&w->sessions);
	passwords_free(&w->users);
	free(w->nobodys_hash);
	conf_free(&w->conf);
}

/* The file anew where it is another one. What cannot be read lets nobody in. */
static void refresh_users(struct web *w)
{
	const char *path = w->conf.web.users;
	struct passwords fresh;
	char *err = NULL;
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT)
			log_err("cannot look at %s: %s; nobody can log in", path, strerror(errno));
		passwords_free(&w->users);
		w->users_inode = 0;
		return;
	}
	if (st.st_ino == w->users_inode && st.st_ctim.tv_sec == w->users_changed.tv_sec &&
	    st.st_ctim.tv_nsec == w->users_changed.tv_nsec)
		return;
	w->users_inode = st.st_ino;
	w->users_changed = st.st_ctim;
	if (passwords_read(&fresh, path, &err) < 0)
		log_err("%s; nobody can log in", err);
	free(err);
	passwords_free(&w->users);
	w->users = fresh;
}

/* Who is taken out of the file, or has another password now, is logged out. */
static struct session *session_of(struct web *w, const struct question *q)
{
	char *cookie = fields_cookie(q->cookies, SESSION_COOKIE);
	struct session *session = sessions_find(&w->sessions, cookie, q->mono);
	const struct passwords_user *user = session ? passwords_find(&w->users, session->user) : NULL;

	free(cookie);
	if (session && (!user || strcmp(user->hash, session->hash) != 0)) {
		sessions_end(session);
		return NULL;
	}
	return session;
}

static struct viewer viewer_of(const struct web *w, const struct session *session)
{
	const struct passwords_user *user = passwords_find(&w->users, session->user);
	bool admin = strcmp(user->owner, PASSWORDS_ADMIN) == 0;

	return (struct viewer){user->name, admin ? NULL : user->owner, session->token};
}

static const char *secure(const struct web *w)
{
	return w->conf.web.behind_tls ? "; Secure" : "";
}

/* ---- login and logout ---- */

/* The form's token is the cookie's: the form came from here. */
static bool is_own_form(const struct question *q, const char *expected)
{
	const char *token = fields_get(q->form, "token");

	return token && expected && strlen(token) == strlen(expected) &&
	       strlen(token) == (size_t)2 * SESSIONS_TOKEN &&
	       passwords_same(token, expected, strlen(token)) &&
	       (!q->site || strcmp(q->site, "same-origin") == 0 || strcmp(q->site, "none") == 0);
}

static void show_login(struct web *w, struct answer *a, const char *complaint)
{
	char *err = NULL, *token = sessions_random(&err);

	if (token) {
		a->cookie = mem_printf(LOGIN_COOKIE "=%s" COOKIE_ATTRIBUTES "%s", token, secure(w));
		page_login(w, token, complaint, a->out);
	} else {
		answer_error(a, 500, "/login", err);
	}
	free(err);
	free(token);
}

/* The right password for this name? As long for a name that nobody has. */
static const struct passwords_user *right_user(struct web *w, const char *name, const char *password)
{
	const struct passwords_user *user = passwords_find(&w->users, name);
	bool right = passwords_match(user ? user->hash : w->nobodys_hash, password);

	return right && user ? user : NULL;
}

static void let_in(struct web *w, const struct question *q, const struct passwords_user *user,
		   struct answer *a)
{
	char *err = NULL, *cookie = sessions_begin(&w->sessions, user->name, user->hash, q->mono, &err);

	if (cookie) {
		throttle_forgive(&w->throttle, user->name);
		a->status = 303;
		a->location = "/";
		a->cookie = mem_printf(SESSION_COOKIE "=%s" COOKIE_ATTRIBUTES "%s", cookie, secure(w));
	} else {
		answer_error(a, 500, q->path, err);
	}
	free(err);
	free(cookie);
}

static void log_in(struct web *w, const struct question *q, struct answer *a)
{
	static const char *const names[] = {"token", "name", "password", NULL};
	const char *name = fields_get(q->form, "name"), *password = fields_get(q->form, "password");
	char *cookie = fields_cookie(q->cookies, LOGIN_COOKIE);
	bool own = is_own_form(q, cookie) && fields_check(q->form, names, NULL) == 0;
	const struct passwords_user *user;

	free(cookie);
	if (!own) {
		a->status = 403;
		show_login(w, a, "This form was too old, or not from here. Please try again.");
		return;
	}
	if (!name || !password || strlen(password) > PASSWORDS_LONGEST) {
		a->status = 401;
		show_login(w, a, "Name or password is wrong.");
		return;
	}
	a->retry_after = throttle_take(&w->throttle, name, q->mono);
	if (a->retry_after) {
		a->status = 429;
		show_login(w, a, "Too many tries. Please wait for a while.");
		return;
	}
	user = right_user(w, name, password);
	if (user) {
		log_info("%s has logged in", user->name);
		let_in(w, q, user, a);
		return;
	}
	log_warn("a login with a wrong name or password");
	a->status = 401;
	show_login(w, a, "Name or password is wrong.");
}

static void log_out(struct web *w, const struct question *q, struct session *session, struct answer *a)
{
	if (!session) {
		a->status = 303;
		a->location = "/login";
		return;
	}
	if (!is_own_form(q, session->token)) {
		answer_error(a, 403, q->path, "this form was not from here");
		return;
	}
	sessions_end(session);
	a->status = 303;
	a->location = "/login";
	a->cookie = mem_printf(SESSION_COOKIE "=; Max-Age=0" COOKIE_ATTRIBUTES "%s", secure(w));
}

/* ---- pages ---- */

typedef int page_fn(struct web *w, const struct viewer *v, const struct question *q, FILE *out, char **err);

static const struct page {
	const char *path;
	page_fn *show;
	bool json;
} pages[] = {{"/", page_overview, false},
	     {"/domain", page_domain, false},
	     {"/api/report", api_report, true},
	     {"/api/list-domains", api_list_domains, true}};

static const struct page *page_of(const char *path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	return NULL;
}

static void finish(struct answer *a, const struct question *q, int status, char *err)
{
	if (status != 200) {
		if (status >= 500)
			log_err("%s", err ? err : "a page cannot be shown");
		answer_error(a, status, q->path, status >= 500 ? NULL : err); /* the log has it */
	}
	free(err);
}

static void show_page(struct web *w, const struct page *page, const struct question *q,
		      const struct session *session, struct answer *a)
{
	struct viewer viewer;
	char *err = NULL;
	int status;

	if (!session && page->json) {
		answer_error(a, 401, q->path, NULL);
	} else if (!session) {
		a->status = 303;
		a->location = "/login";
	} else {
		viewer = viewer_of(w, session);
		if (page->json)
			a->type = "application/json";
		status = page->show(w, &viewer, q, a->out, &err);
		finish(a, q, status, err);
	}
}

/* Can anybody log in who may not see all? */
static bool has_owners(const struct web *w)
{
	for (size_t i = 0; i < w->users.count; i++)
		if (strcmp(w->users.list[i].owner, PASSWORDS_ADMIN) != 0)
			return true;
	return false;
}

/* On this host without a login, as long as no owner has anything to do here. */
static void show_metrics(struct web *w, const struct question *q, const struct session *session,
			 struct answer *a)
{
	struct viewer viewer = {0};
	char *err = NULL;
	int status;

	if (session)
		viewer = viewer_of(w, session);
	if ((!session && (w->conf.web.behind_tls || has_owners(w))) || viewer.owner) {
		answer_error(a, session ? 403 : 401, q->path, "metrics are for an admin");
		return;
	}
	a->type = "text/plain; version=0.0.4; charset=utf-8";
	status = api_metrics(w, q, a->out, &err);
	finish(a, q, status, err);
}

static void answer_get(struct web *w, const struct question *q, const struct session *session,
		       struct answer *a)
{
	const struct page *page = page_of(q->path);

	if (page) {
		show_page(w, page, q, session, a);
	} else if (strcmp(q->path, "/login") == 0) {
		show_login(w, a, NULL);
	} else if (strcmp(q->path, "/style.css") == 0) {
		a->type = "text/css; charset=utf-8";
		page_style(a->out);
	} else if (strcmp(q->path, "/metrics") == 0) {
		show_metrics(w, q, session, a);
	} else {
		answer_error(a, strcmp(q->path, "/logout") == 0 ? 405 : 404, q->path, NULL);
	}
}

void web_answer(struct web *w, const struct question *q, struct answer *a)
{
	struct session *session;

	refresh_users(w);
	session = session_of(w, q);
	if (!q->post)
		answer_get(w, q, session, a);
	else if (strcmp(q->path, "/login") == 0)
		log_in(w, q, a);
	else if (strcmp(q->path, "/logout") == 0)
		log_out(w, q, session, a);
	else
		answer_error(a, page_of(q->path) ? 405 : 404, q->path, NULL);
}
