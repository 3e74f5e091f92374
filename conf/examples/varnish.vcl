# varnish.vcl - Varnish 7 in front of two replicas of sluice (replica.conf): docs/scale.md. Start it with
#
#     varnishd -f varnish.vcl -p http_gzip_support=off -p feature=+http2
#
# With its own gzip support, Varnish asks for gzip alone and unpacks it for who does not take it: what such clients get has the tag
# and the Repr-Digest of other bytes.
vcl 4.1;

import directors;

probe readyz {
    .url = "/readyz";
    .interval = 1s;
    .timeout = 2s;
    .window = 3;
    .threshold = 2;
    .initial = 2;
}

backend a { .host = "10.0.0.11"; .port = "8081"; .probe = readyz; }
backend b { .host = "10.0.0.12"; .port = "8081"; .probe = readyz; }

sub vcl_init {
    # By the path, as long as that replica is well; a retry goes to the other one.
    new files = directors.shard();
    files.add_backend(a);
    files.add_backend(b);
    files.reconfigure();
}

sub vcl_recv {
    unset req.http.Cookie;
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405));
    }
    # Large files go past the cache, ranges and all.
    if (req.url ~ "\.(iso|img|bin)$") {
        return (pass);
    }
    # One variant each, whatever else clients say.
    if (req.http.Accept-Encoding ~ "zstd") {
        set req.http.Accept-Encoding = "zstd";
    } elsif (req.http.Accept-Encoding ~ "\bbr\b") {
        set req.http.Accept-Encoding = "br";
    } elsif (req.http.Accept-Encoding ~ "gzip") {
        set req.http.Accept-Encoding = "gzip";
    } else {
        unset req.http.Accept-Encoding;
    }
    return (hash);
}

sub vcl_backend_fetch {
    if (bereq.retries == 0) {
        set bereq.backend = files.backend(by=URL);
    } else {
        # By its number alone: a replica that has just become sick would count no more, and none be left.
        set bereq.backend = files.backend(by=URL, alt=bereq.retries, healthy=IGNORE);
    }
}

sub vcl_backend_response {
    # Another replica is asked where this one failed.
    if (beresp.status >= 500 && bereq.retries < 2) {
        return (retry);
    }
    # Asked again by its tag when it is old; meanwhile, or while no replica answers, the old one is sent.
    set beresp.grace = 1m;
    set beresp.keep = 1h;
}

sub vcl_backend_error {
    if (bereq.retries < 2) {
        return (retry);
    }
}
