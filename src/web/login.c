/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * login: the page that asks for name and password, and the style sheet of all pages.
 */
#include "web/html.h"
#include "web/pages.h"

void page_login(const struct web *w, const char *token, const char *complaint, FILE *out)
{
	html_begin(out, "Log in", NULL);
	if (complaint) {
		fputs("<p class=\"complaint\" role=\"alert\">", out);
		html_text(out, complaint);
		fputs("</p>\n", out);
	}
	if (!w->users.count)
		fputs("<p>Nobody can log in yet: on the host, <code>xenbw passwd --admin NAME</code> makes "
		      "an admin, "
		      "<code>xenbw passwd OWNER</code> one who sees the owner's domains.</p>\n",
		      out);
	fprintf(out,
		"<form class=\"login\" method=\"post\" action=\"/login\">\n"
		"<input type=\"hidden\" name=\"token\" value=\"%s\">\n"
		"<label for=\"name\">Name</label>\n"
		"<input id=\"name\" name=\"name\" autocomplete=\"username\" autocapitalize=\"none\" required "
		"autofocus>\n"
		"<label for=\"password\">Password</label>\n"
		"<input id=\"password\" name=\"password\" type=\"password\" "
		"autocomplete=\"current-password\" "
		"required>\n"
		"<button>Log in</button>\n</form>\n",
		token);
	html_end(out);
}

/* Colours in pairs with a contrast of at least 4.5 to their ground, in the light and in the dark. */
static const char style[] =
	":root{color-scheme:light "
	"dark;--ground:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--band:#f3f5f7;"
	"--link:#0550ae;--in:#2f8f46;--out:#0a58ca;--bad:#b3261e;--button:#0550ae;--on-button:#fff}\n"
	"@media(prefers-color-scheme:dark){:root{--ground:#0f1419;--text:#e6e9ec;--soft:#a0a9b3;--line:#"
	"39424c;"
	"--band:#1a2129;--link:#7ab8ff;--in:#4fc26b;--out:#7ab8ff;--bad:#ff8a80;--button:#7ab8ff;"
	"--on-button:#0f1419}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif}\n"
	"a{color:var(--link)}\n"
	":focus-visible{outline:3px solid var(--link);outline-offset:2px}\n"
	".skip{position:absolute;left:-100vw}\n.skip:focus{left:1rem;top:.5rem;background:var(--ground);"
	"padding:.5rem}\n"
	"header,main{max-width:64rem;margin:0 auto;padding:0 1rem}\n"
	"header{display:flex;justify-content:space-between;align-items:center;min-height:3.5rem;"
	"border-bottom:1px solid var(--line)}\n"
	"header form{display:flex;gap:.75rem;align-items:center}\n"
	".home{font-weight:700;text-decoration:none;color:inherit}\n"
	"main{padding-bottom:3rem}\nmain:focus{outline:none}\n"
	"h1{font-size:1.6rem;margin:1.25rem 0 .75rem;overflow-wrap:anywhere}\n"
	"button,input,select{font:inherit;color:inherit;background:var(--ground);border:1px solid "
	"var(--soft);"
	"border-radius:.35rem;padding:.35rem .6rem;min-height:2.5rem;max-width:100%}\n"
	"button{background:var(--button);border-color:var(--button);color:var(--on-button);cursor:pointer}\n"
	"header button{background:none;color:var(--link);border-color:var(--line)}\n"
	".range{display:flex;flex-wrap:wrap;gap:.75rem 2rem}\n"
	".range form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}\n"
	".period,.note{color:var(--soft)}\n"
	".table{overflow-x:auto;margin:1rem 0}\n"
	"table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
	"caption{text-align:left;font-weight:600;padding:.25rem 0 .5rem}\n"
	"th,td{padding:.45rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid "
	"var(--line)}\n"
	"th:first-child,.owner{text-align:left}\n"
	"th:first-child{white-space:normal;overflow-wrap:anywhere;min-width:6rem}\n"
	"tbody th{font-weight:500}\nthead th{color:var(--soft);font-weight:600}\n"
	"tbody tr:hover{background:var(--band)}\ntfoot th,tfoot td{font-weight:700;border-bottom:0}\n"
	".trend{width:9rem;text-align:left}\n"
	".spark{display:block;width:8rem;height:1.75rem}\n"
	"svg "
	".in{fill:var(--in);fill-opacity:.75;stroke:var(--in);stroke-width:1;vector-effect:non-scaling-"
	"stroke}\n"
	"svg .out{fill:none;stroke:var(--out);stroke-width:1.5;vector-effect:non-scaling-stroke}\n"
	"svg .grid{fill:none;stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}\n"
	".chart{margin:1rem 0}\n.chart svg{display:block;width:100%;height:13rem}\n"
	"figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.25rem "
	"1rem;font-size:.9rem;"
	"color:var(--soft)}\n"
	".key i{display:inline-block;width:.9em;height:.9em;border-radius:.2em;vertical-align:-.1em}\n"
	".key .in{background:var(--in)}\n.key .out{background:var(--out)}\n"
	".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.75rem;margin:"
	"1rem 0}\n"
	".figures div{background:var(--band);border-radius:.5rem;padding:.6rem .8rem}\n"
	".figures dt{color:var(--soft);font-size:.9rem}\n"
	".figures dd{margin:0;font-size:1.3rem;font-weight:600}\n"
	".login{display:grid;gap:.4rem;max-width:22rem}\n.login button{margin-top:.75rem}\n"
	".complaint{color:var(--bad);font-weight:600}\n"
	"nav{display:flex;gap:1rem}\n"
	"@media(max-width:40rem){th,td{padding:.45rem .2rem;font-size:.85rem}.owner{display:none}"
	".trend{width:3.6rem}.spark{width:3.3rem}th:first-child{min-width:4.4rem}}\n";

void page_style(FILE *out)
{
	fputs(style, out);
}
