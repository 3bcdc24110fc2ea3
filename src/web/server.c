/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/server.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "web/connections.h"

#define MOST_HEADERS 8192
#define MOST_BODY 4096
#define IDLE_SECONDS 10
#define BACKLOG 64
#define TICK_MS 500

struct server {
	struct web *web;
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct event *tick, *ends[2];
	struct connections connections;
	bool local; /* the address is of this host alone */
};

static int64_t seconds(void)
{
	return clock_mono().ns / 1000000000;
}

/* ---- what is asked ---- */

/* The host that the browser means. One that was sent here by a name of somebody else's is not answered: that
 * page could read what is for this host's eyes. */
static bool is_own_host(const struct server *s, const struct evkeyvalq *headers)
{
	const char *host = evhttp_find_header(headers, "Host");
	size_t length;

	if (s->web->conf.web.behind_tls)
		return true;
	if (!host)
		return false;
	length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	return (length == 9 && strncasecmp(host, "localhost", length) == 0) ||
	       (length == 5 && strncmp(host, "[::1]", length) == 0) ||
	       (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length);
}

static int read_form(struct fields *f, struct evhttp_request *req, char **err)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(req);
	size_t length = evbuffer_get_length(body);
	const char *type = evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
	char *text;
	int rc;

	if (!type || strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0)
		return err_set(err, "a form is sent as application/x-www-form-urlencoded");
	text = mem_alloc(length + 1);
	evbuffer_copyout(body, text, length);
	rc = fields_parse(f, text, length, err);
	explicit_bzero(text, length);
	free(text);
	return rc;
}

static void ask(struct server *s, struct evhttp_request *req, struct answer *a)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL,
		   *text = uri ? evhttp_uri_get_query(uri) : NULL;
	struct fields query = {0}, form = {0};
	struct question q = {.post = evhttp_request_get_command(req) == EVHTTP_REQ_POST,
			     .path = path && *path ? path : "/",
			     .query = &query,
			     .form = &form,
			     .cookies = evhttp_find_header(headers, "Cookie"),
			     .site = evhttp_find_header(headers, "Sec-Fetch-Site"),
			     .now = clock_wall(),
			     .mono = seconds()};
	char *err = NULL;

	if (!is_own_host(s, headers))
		answer_error(a, 421, q.path,
			     "xenbw answers as localhost, or behind TLS (web_behind_tls yes)");
	else if ((text && fields_parse(&query, text, strlen(text), &err) < 0) ||
		 (q.post && read_form(&form, req, &err) < 0))
		answer_error(a, 400, q.path, err);
	else
		web_answer(s->web, &q, a);
	fields_free(&query);
	fields_free(&form);
	free(err);
}

/* ---- what is answered ---- */

static void add(struct evhttp_request *req, const char *name, const char *value)
{
	if (evhttp_add_header(evhttp_request_get_output_headers(req), name, value) < 0)
		log_err("a header of an answer was left out: %s", name);
}

static void add_headers(struct evhttp_request *req, const struct answer *a)
{
	char *wait;

	add(req, "Content-Type", a->type);
	add(req, "Content-Security-Policy",
	    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
	    "'none'");
	add(req, "X-Content-Type-Options", "nosniff");
	add(req, "X-Frame-Options", "DENY");
	add(req, "Referrer-Policy", "same-origin");
	add(req, "Cross-Origin-Opener-Policy", "same-origin");
	add(req, "Cross-Origin-Resource-Policy", "same-origin");
	add(req, "Cache-Control", "no-store");
	if (a->location)
		add(req, "Location", a->location);
	if (a->cookie)
		add(req, "Set-Cookie", a->cookie);
	if (a->status == 405)
		add(req, "Allow", "GET, HEAD, POST");
	if (a->retry_after) {
		wait = mem_printf("%u", a->retry_after);
		add(req, "Retry-After", wait);
		free(wait);
	}
}

static void on_request(struct evhttp_request *req, void *ctx)
{
	struct server *s = ctx;
	struct evhttp_connection *connection = evhttp_request_get_connection(req);
	struct evbuffer *body = evbuffer_new();
	struct answer a;
	char *err = NULL;

	if (connection)
		connections_served(&s->connections,
				   bufferevent_getfd(evhttp_connection_get_bufferevent(connection)),
				   seconds());
	if (!body || answer_init(&a, &err) < 0) {
		evhttp_send_error(req, 500, NULL);
	} else {
		ask(s, req, &a);
		/* else the time to take the answer would have begun before the question */
		(void)event_base_update_cache_time(s->base);
		if (fflush(a.out) != 0 || evbuffer_add(body, a.body, a.length) < 0) {
			evhttp_send_error(req, 500, NULL);
		} else {
			add_headers(req, &a);
			evhttp_send_reply(req, a.status, NULL, body);
		}
		answer_free(&a);
	}
	free(err);
	if (body)
		evbuffer_free(body);
}

/* ---- the socket ---- */

/* For each new connection: the last one for now? */
static struct bufferevent *on_connection(struct event_base *base, void *ctx)
{
	struct server *s = ctx;

	if (connections_full())
		evconnlistener_disable(s->listener);
	return bufferevent_socket_new(base, -1, 0);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;

	(void)fd;
	(void)what;
	connections_tick(&s->connections, seconds());
	if (!connections_full())
		evconnlistener_enable(s->listener);
	log_tell();
}

static void on_end(evutil_socket_t signal, short what, void *ctx)
{
	struct server *s = ctx;

	(void)signal;
	(void)what;
	event_base_loopbreak(s->base);
}

/* ADDRESS:PORT as the configuration takes it. */
static int read_address(struct sockaddr_storage *address, int *length, bool *local, const char *text,
			char **err)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

	*length = sizeof(*address);
	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)address, length) < 0)
		return err_set(err, "cannot listen at `%s`: it is no address with a port", text);
	*local = address->ss_family == AF_INET ? ntohl(four->sin_addr.s_addr) >> 24 == 127
					       : IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) != 0;
	return 0;
}

static int listen_there(struct server *s, char **err)
{
	const char *text = s->web->conf.web.listen;
	struct sockaddr_storage address;
	struct evhttp_bound_socket *bound;
	int length;

	if (read_address(&address, &length, &s->local, text, err) < 0)
		return -1;
	if (!s->local && !s->web->conf.web.behind_tls)
		return err_set(
			err,
			"web_listen %s can be reached from other hosts, and passwords would go there as they "
			"are; "
			"let a web server with TLS stand before it, on the way of which nobody else is, and "
			"set `web_behind_tls yes`",
			text);
	s->listener = evconnlistener_new_bind(
		s->base, NULL, NULL, LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE,
		BACKLOG, (struct sockaddr *)&address, length);
	if (!s->listener)
		return err_sys(err, "cannot listen at %s", text);
	bound = evhttp_bind_listener(s->http, s->listener);
	if (!bound) {
		evconnlistener_free(s->listener);
		return err_set(err, "cannot listen at %s", text);
	}
	return 0;
}

static int set_up(struct server *s, char **err)
{
	static const int ends[] = {SIGTERM, SIGINT};
	const struct timeval tick = {0, TICK_MS * 1000L};

	s->base = event_base_new();
	s->http = s->base ? evhttp_new(s->base) : NULL;
	s->tick = s->http ? event_new(s->base, -1, EV_PERSIST, on_tick, s) : NULL;
	if (!s->tick || event_add(s->tick, &tick) < 0)
		return err_set(err, "cannot set libevent up");
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		s->ends[i] = evsignal_new(s->base, ends[i], on_end, s);
		if (!s->ends[i] || event_add(s->ends[i], NULL) < 0)
			return err_set(err, "cannot set libevent up");
	}
	evhttp_set_max_headers_size(s->http, MOST_HEADERS);
	evhttp_set_max_body_size(s->http, MOST_BODY);
	evhttp_set_timeout(s->http, IDLE_SECONDS);
	evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST);
	evhttp_set_gencb(s->http, on_request, s);
	evhttp_set_bevcb(s->http, on_connection, s);
	return listen_there(s, err);
}

int server_open(struct server **out, struct web *w, char **err)
{
	struct server *s = mem_alloc(sizeof(*s));

	s->web = w;
	*out = s;
	if (connections_limit(err) == 0 && set_up(s, err) == 0)
		return 0;
	server_close(s);
	*out = NULL;
	return -1;
}

int server_run(struct server *s, char **err)
{
	return event_base_dispatch(s->base) < 0 ? err_set(err, "libevent's loop has ended") : 0;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	if (s->http)
		evhttp_free(s->http);
	for (size_t i = 0; i < sizeof(s->ends) / sizeof(*s->ends); i++)
		if (s->ends[i])
			event_free(s->ends[i]);
	if (s->tick)
		event_free(s->tick);
	if (s->base)
		event_base_free(s->base);
	free(s);
}
