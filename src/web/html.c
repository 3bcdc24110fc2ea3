/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web/html.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/units.h"

void html_text(FILE *out, const char *text)
{
	char *printable = text_printable(text, strlen(text));

	for (const char *s = printable; *s; s++)
		switch (*s) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*s, out);
		}
	free(printable);
}

void html_query(FILE *out, const char *text)
{
	for (const char *s = text; *s; s++)
		if (isalnum((unsigned char)*s) || strchr("-._~", *s))
			fputc(*s, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*s);
}

char *html_rate(uint64_t bytes_per_second)
{
	char *number = units_rate(bytes_per_second);
	size_t digits = strspn(number, "0123456789.");
	char *text = mem_printf("%.*s %sbit/s", (int)digits, number, number + digits);

	free(number);
	return text;
}

void html_begin(FILE *out, const char *title, const struct viewer *v)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
	      out);
	html_text(out, title);
	fputs(" - xenbw</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n"
	      "<a class=\"skip\" href=\"#main\">Skip to the figures</a>\n"
	      "<header>\n<a class=\"home\" href=\"/\">xenbw</a>\n",
	      out);
	if (v) {
		fputs("<form method=\"post\" action=\"/logout\">\n<span>", out);
		html_text(out, v->name);
		fprintf(out,
			"</span>\n<input type=\"hidden\" name=\"token\" value=\"%s\">\n"
			"<button>Log out</button>\n</form>\n",
			v->token);
	}
	fputs("</header>\n<main id=\"main\" tabindex=\"-1\">\n<h1>", out);
	html_text(out, title);
	fputs("</h1>\n", out);
}

void html_end(FILE *out)
{
	fputs("</main>\n</body>\n</html>\n", out);
}

void html_bytes(FILE *out, uint64_t bytes)
{
	char *text = units_bytes(bytes);

	fprintf(out, "<td title=\"%" PRIu64 " bytes\">%s</td>", bytes, text);
	free(text);
}
