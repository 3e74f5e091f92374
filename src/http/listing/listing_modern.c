/* listing_modern.c - a directory as a page for people: sortable, at home on small and dark screens,
 * nothing from elsewhere. Called by listing.c.
 *
 * The page works without its script, which only adds sorting and the filter. Cells carry what they
 * sort by in data-k. */
#include "http/listing/listing_private.h"

static const char style[] =
    ":root{color-scheme:light "
    "dark;--bg:#fbfbfa;--fg:#1f2328;--dim:#656d76;--line:#e3e5e8;--hover:#f0f2f4;--link:#0550ae;"
    "--dir:#b7791f}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#16181c;--fg:#d8dce2;--dim:#8b949e;--line:#2b2f36;--hover:#1e2228;"
    "--link:#79b8ff;--dir:#e3b341}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:62rem;padding:1.5rem 1rem 3rem;background:var(--bg);color:var(--fg);"
    "font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}\n"
    "h1{margin:0 0 1rem;font-size:1.25rem;font-weight:600;overflow-wrap:anywhere}\n"
    "a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}\n"
    "input{width:100%;margin:0 0 1rem;padding:.45rem .7rem;font:inherit;color:inherit;background:transparent;"
    "border:1px solid var(--line);border-radius:.5rem}\n"
    "table{width:100%;border-collapse:collapse}\n"
    "th{padding:.3rem .6rem;text-align:left;font-size:.8rem;font-weight:600;color:var(--dim);border-bottom:1px solid "
    "var(--line);white-space:nowrap}\n"
    "th button{all:unset;cursor:pointer}th button:focus-visible{outline:2px solid var(--link)}\n"
    "th[aria-sort=ascending] button::after{content:\" \\2191\"}th[aria-sort=descending] "
    "button::after{content:\" \\2193\"}\n"
    "td{padding:.4rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}\n"
    "tbody tr:hover{background:var(--hover)}\n"
    "td:first-child{overflow-wrap:anywhere}\n"
    ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--dim)}\n"
    ".t{white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--dim)}\n"
    ".d,.f{display:block;padding-left:1.6rem;text-indent:-1.6rem}\n"
    ".d::before,.f::before{content:\"\";display:inline-block;width:1rem;height:.8rem;margin-right:.6rem;"
    "border-radius:2px}\n"
    ".d::before{background:var(--dir)}\n"
    ".f::before{width:.75rem;height:.9rem;margin:0 .725rem -.05rem .125rem;border:1px solid var(--dim)}\n"
    "footer{margin-top:1rem;font-size:.85rem;color:var(--dim)}\n"
    "@media(max-width:36rem){.t{display:none}td,th{padding-left:.2rem;padding-right:.2rem}}\n";

static const char script[] =
    "(function(){var t=document.querySelector('table'),b=t.tBodies[0],r=[].slice.call(b.rows),h=[].slice.call(t.tHead."
    "rows[0].cells),c=new Intl.Collator(undefined,{numeric:true,sensitivity:'base'});\n"
    "function k(x,i){var e=x.cells[i];return i?+e.getAttribute('data-k'):e.textContent}\n"
    "function s(i,d){r.sort(function(x,y){return(x.className==='p')!==(y.className==='p')?(x.className==='p'?-1:1):"
    "(x.className!==y.className?(x.className==='g'?-1:1):(i?k(x,i)-k(y,i):c.compare(k(x,i),k(y,i)))*d)});"
    "var f=document.createDocumentFragment();r.forEach(function(x){f.appendChild(x)});b.appendChild(f)}\n"
    "h.forEach(function(e,i){var u=document.createElement('button');u.textContent=e.textContent;e.textContent='';"
    "e.appendChild(u);u.onclick=function(){var a=e.getAttribute('aria-sort')==='ascending';h.forEach(function(o){o."
    "removeAttribute('aria-sort')});e.setAttribute('aria-sort',a?'descending':'ascending');s(i,a?-1:1)}});\n"
    "if(r.length>10){var q=document.createElement('input');q.type='search';q.placeholder='Filter';"
    "q.setAttribute('aria-label','Filter by name');q.oninput=function(){var v=q.value.toLowerCase();"
    "r.forEach(function(x){x.hidden=v!==''&&x.className!=='p'&&x.cells[0].textContent.toLowerCase().indexOf(v)<0})};"
    "t.parentNode.insertBefore(q,t)}\n"
    "if(r.length<5000)s(0,1)})();\n";

static bool is_root(struct text uri)
{
    return uri.len <= 1;
}

/* "/ a / b /" with links upwards: relative ones, true behind any proxy. */
static void print_crumbs(struct text uri, struct buffer *out)
{
    size_t depth = 0;
    for (size_t i = 1; i < uri.len; i++)
        depth += uri.at[i] == '/';
    for (size_t at = 0; at < uri.len;) {
        struct text rest = text_from(uri, at);
        size_t end = text_find(rest, '/');
        struct text name = {rest.at, end < rest.len ? end + 1 : end};
        if (depth > 0) {
            buffer_add_str(out, "<a href=\"");
            for (size_t up = 0; up < depth; up++)
                buffer_add_str(out, "../");
            buffer_add_str(out, "\">");
        }
        listing_add_html(out, name);
        buffer_add_str(out, depth > 0 ? "</a>" : "");
        depth -= depth > 0;
        at += name.len;
    }
}

/* "12.3 MiB": three digits are enough to choose by. */
static void print_human(off_t size, struct buffer *out)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (size < 1024) {
        buffer_printf(out, "%lld B", (long long)size);
        return;
    }
    double value = (double)size / 1024;
    size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1024;
    buffer_printf(out, "%.*f %s", value < 9.95 ? 2 : value < 99.5 ? 1 : 0, value, units[unit]);
}

static void print_size(const struct listing *l, const struct listing_entry *e, struct buffer *out)
{
    if (e->kind == ENTRY_DIRECTORY) {
        buffer_add_str(out, "<td class=\"n\" data-k=\"-1\"></td>");
        return;
    }
    buffer_printf(out, "<td class=\"n\" data-k=\"%lld\"", (long long)e->size);
    if (l->want->conf->exact_size) {
        buffer_printf(out, ">%lld</td>", (long long)e->size);
        return;
    }
    buffer_printf(out, " title=\"%lld bytes\">", (long long)e->size);
    print_human(e->size, out);
    buffer_add_str(out, "</td>");
}

static void print_entry(const struct listing *l, const struct listing_entry *e, struct buffer *out)
{
    bool directory = e->kind == ENTRY_DIRECTORY;
    struct tm tm = {.tm_year = 70, .tm_mday = 1};
    time_t t = e->mtime + l->offset;
    gmtime_r(&t, &tm);

    buffer_add_str(out, directory ? "<tr class=\"g\"><td><a class=\"d\" href=\"" : "<tr><td><a class=\"f\" href=\"");
    listing_add_href(out, e->name);
    buffer_add_str(out, directory ? "/\">" : "\">");
    listing_add_html(out, e->name);
    buffer_add_str(out, directory ? "/</a></td>" : "</a></td>");
    print_size(l, e, out);
    buffer_printf(out, "<td class=\"t\" data-k=\"%lld\">%04d-%02d-%02d %02d:%02d</td></tr>\n", (long long)e->mtime,
                  tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min);
}

static void print_summary(const struct listing *l, struct buffer *out)
{
    size_t folders = 0;
    off_t bytes = 0;
    for (size_t i = 0; i < l->count; i++) {
        folders += l->entries[i].kind == ENTRY_DIRECTORY;
        if (l->entries[i].kind == ENTRY_FILE && bytes <= INT64_MAX - l->entries[i].size)
            bytes += l->entries[i].size;
    }
    size_t files = l->count - folders;
    buffer_printf(out, "<footer>%zu folder%s, %zu file%s, ", folders, folders == 1 ? "" : "s", files,
                  files == 1 ? "" : "s");
    print_human(bytes, out);
    buffer_add_str(out, l->offset ? "" : ". Times are UTC.");
    buffer_add_str(out, "</footer>\n");
}

void listing_print_modern(const struct listing *l, struct buffer *out)
{
    buffer_add_str(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>Index of ");
    listing_add_html(out, l->want->uri);
    buffer_add_str(out, "</title>\n<style>\n");
    buffer_add(out, style, sizeof style - 1);
    buffer_add_str(out, "</style>\n</head>\n<body>\n<h1>");
    print_crumbs(l->want->uri, out);
    buffer_add_str(out, "</h1>\n<table>\n<thead><tr><th aria-sort=\"ascending\">Name</th><th class=\"n\">Size</th>"
                        "<th class=\"t\">Modified</th></tr></thead>\n<tbody>\n");
    if (!is_root(l->want->uri))
        buffer_add_str(out,
                       "<tr class=\"p\"><td><a class=\"d\" href=\"../\">../</a></td><td class=\"n\" data-k=\"-2\"></td>"
                       "<td class=\"t\" data-k=\"0\"></td></tr>\n");
    for (size_t i = 0; i < l->count; i++)
        print_entry(l, &l->entries[i], out);
    buffer_add_str(out, "</tbody>\n</table>\n");
    print_summary(l, out);
    buffer_add_str(out, "<script>\n");
    buffer_add(out, script, sizeof script - 1);
    buffer_add_str(out, "</script>\n</body>\n</html>\n");
}
