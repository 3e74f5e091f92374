/* test_registry_clients.c - programs that others wrote, as clients of the registry that oci_layout
 * is: what they have fetched is, byte for byte, what the layout has. `make test-clients` runs these
 * too; a program that is not here is named and left out. */
#include "tls_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGE = 3000000 };

static void make_authority(void)
{
    make_certificate("ca", "-subj /O=Authority -addext basicConstraints=critical,CA:TRUE");
    openssl(site_dir(), "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout srv.key -out srv.csr "
                        "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
                        "-addext basicConstraints=critical,CA:FALSE");
    openssl(site_dir(), "x509 -req -in srv.csr -CA ca.crt -CAkey ca.key -CAcreateserial -copy_extensions copy "
                        "-out srv.crt -days 60");
}

static void make_images(void)
{
    char *script = realpath("tests/integration/images.sh", NULL);

    ck_assert_ptr_nonnull(script);
    site_pattern("html/large.bin", LARGE);
    bool made = client_shell("%s html/large.bin images", script);
    ck_assert_msg(made, "%s", client_said);
    free(script);
}

/* @PORT@ for everybody, @PORT1@ over TLS and HTTP/2, @PORT2@ for who knows the password. */
static void serve(void)
{
    make_authority();
    make_images();
    site_write("users", "ann:{PLAIN}secret\n");
    serve_tls("directio 1m; "
              "server { listen 127.0.0.1:@PORT@; oci_layout @DIR@/images; } "
              "server { listen 127.0.0.1:@PORT1@ ssl; http2 on; ssl_certificate srv.crt; ssl_certificate_key srv.key; "
              "oci_layout @DIR@/images; } "
              "server { listen 127.0.0.1:@PORT2@; auth_basic images; auth_basic_user_file users; "
              "oci_layout @DIR@/images; }");
}

/* Some need what a sandbox may not have: a place where they may keep images. */
#define SKOPEO  "skopeo --insecure-policy "
#define AT      "docker://localhost:@PORT@"
#define COPY    SKOPEO "copy --src-tls-verify=false "
#define STORAGE "--storage-driver vfs --root $PWD/storage --runroot $PWD/run "
#define DIGEST  "sha256:$(sed 's/.*sha256:\\([0-9a-f]*\\).*/\\1/' images/team/app/index.json)"

/* The last command's success is what counts; `says`, if there is one, must be in what it prints. */
static const struct {
    const char *program, *needs, *commands, *says;
} clients[] = {
    {"skopeo", NULL, COPY AT "/team/app:v1 oci:out:v1 && diff -r images/team/app/blobs out/blobs", NULL},
    {"skopeo", NULL, SKOPEO "list-tags --tls-verify=false " AT "/team/app", "\"v1\""},
    {"skopeo", NULL, COPY AT "/team/app@" DIGEST " oci:out:v1 && diff -r images/team/app/blobs out/blobs", NULL},
    {"skopeo", NULL,
     COPY "--all " AT "/team/multi:v1 oci:out:v1 && for b in out/blobs/sha256/*; do "
          "cmp $b images/team/multi/blobs/sha256/${b##*/} || exit; done; ls out/blobs/sha256 | wc -l",
     "7"},
    {"skopeo", NULL, SKOPEO "--override-arch arm64 inspect --tls-verify=false " AT "/team/multi:v1",
     "\"Architecture\": \"arm64\""},
    {"skopeo", NULL, SKOPEO "--override-arch s390x inspect --tls-verify=false " AT "/team/multi:v1 || true",
     "for architecture s390x"},
    {"skopeo", NULL,
     "mkdir certs; cp ca.crt certs/; " SKOPEO
     "copy --src-cert-dir certs docker://localhost:@PORT1@/team/app:v1 oci:out:v1 && "
     "diff -r images/team/app/blobs out/blobs",
     NULL},
    {"skopeo", NULL,
     SKOPEO "copy --src-tls-verify=false --src-creds ann:secret docker://localhost:@PORT2@/team/app:v1 oci:out:v1 && "
            "diff -r images/team/app/blobs out/blobs",
     NULL},
    {"skopeo", NULL, "! " COPY "docker://localhost:@PORT2@/team/app:v1 oci:out:v1", "uthentication required"},
    {"skopeo", NULL, "! " COPY AT "/team/app:v2 oci:out:v1", "manifest unknown"},
    {"skopeo", NULL, "! " COPY AT "/team/none:v1 oci:out:v1", "name unknown"},
    {"skopeo", NULL,
     "! " SKOPEO "copy --dest-tls-verify=false oci:images/team/app:v1 docker://localhost:@PORT@/team/new:v1",
     "this registry is read-only"},
    {"umoci", "command -v skopeo",
     "umoci init --layout images/made && umoci new --image images/made:one && "
     "umoci insert --image images/made:one html/large.bin /there && chmod -R a+rX images/made && " COPY AT
     "/made:one oci:out:one && umoci unpack --rootless --image out:one bundle >unpacked && "
     "cmp html/large.bin bundle/rootfs/there",
     NULL},
    {"buildah", "buildah " STORAGE "from scratch",
     "buildah " STORAGE "pull -q --tls-verify=false localhost:@PORT@/team/app:v1 && "
     "find storage/vfs -name large.bin | { read f && cmp $f html/large.bin; }",
     NULL},
    {"podman", "podman " STORAGE "images",
     "podman " STORAGE "pull -q --tls-verify=false localhost:@PORT@/team/app:v1 && "
     "find storage/vfs -name large.bin | { read f && cmp $f html/large.bin; } && "
     "test $(podman " STORAGE "image inspect --format '{{.Digest}}' localhost:@PORT@/team/app:v1) = " DIGEST,
     NULL},
    {"curl", NULL,
     "b=$(ls -S images/team/app/blobs/sha256 | head -1); u=https://localhost:@PORT1@/v2/team/app/blobs/sha256:$b; "
     "head -c 1234567 images/team/app/blobs/sha256/$b >part; "
     "curl -sS --http2 --cacert ca.crt -C - -o part $u && test $(sha256sum <part | cut -c1-64) = $b",
     NULL},
    {"curl", NULL,
     "d=$(sed 's/.*index.v1+json\",\"digest\":\"\\(sha256:[0-9a-f]*\\)\".*/\\1/' images/team/multi/index.json); "
     "curl -sS \"http://localhost:@PORT@/v2/team/multi/referrers/$d?artifactType=application/x-signature\"",
     "\"artifactType\":\"application/x-signature\"}]}"},
};

static bool is_here(const char *program, const char *needs)
{
    if (!client_shell("command -v %s", program)) {
        printf("  skip %s: it is not here\n", program);
        return false;
    }
    if (needs && !client_shell("export HOME=$PWD; %s", needs)) {
        printf("  skip %s: it does not work here: %s\n", program, client_said);
        return false;
    }
    return true;
}

START_TEST(has_all_of_it)
{
    if (!is_here(clients[_i].program, clients[_i].needs))
        return;
    bool good = client_shell("export no_proxy='*' HOME=$PWD; %s", clients[_i].commands);
    ck_assert_msg(good && (!clients[_i].says || strstr(client_said, clients[_i].says)), "%s: %s\n%s",
                  clients[_i].program, clients[_i].commands, client_said);
}
END_TEST

Suite *suite_registry_clients(void)
{
    Suite *s = suite_create("registry_clients");
    if (!has_tls_clients("registry_clients"))
        return s;
    TCase *t = site_case_with(s, "programs", 60, serve);
    tcase_add_loop_test(t, has_all_of_it, 0, sizeof clients / sizeof *clients);
    return s;
}
