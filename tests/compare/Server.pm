# Server.pm - one of the two servers: its folder, its configuration, its process, and one connection's worth of bytes.
package Server;
use strict;
use warnings;
use Errno;
use Socket;
use IO::Select;
use POSIX qw(:sys_wait_h _exit);

use constant { PATIENCE => 10, QUIET => 0.08 };

# name, program, address; dir is where it lives (of the same length for both), root what both serve.
sub new {
    my ($class, %self) = @_;
    mkdir $self{dir} or die "$self{dir}: $!\n";
    mkdir "$self{dir}/logs";
    chmod 0755, $self{dir};
    chmod 0777, "$self{dir}/logs";
    return bless \%self, $class;
}

sub substitute {
    my ($self, $text) = @_;
    my @ports = @{$self->{ports}};
    $text =~ s/^(\s*)\@(nginx|sluice) (.*)$/$2 eq $self->{name} ? "$1$3" : $1/gem;
    $text =~ s/\@PORT([1-4])/$ports[$1 - 1]/g;
    $text =~ s/\@([1-4])\b/$self->{address}:$ports[$1 - 1]/g;
    $text =~ s/\@ADDR/$self->{address}/g;
    $text =~ s/\@ROOT/$self->{root}/g;
    $text =~ s/\@DIR/$self->{dir}/g;
    return $text;
}

# Every address of the configuration has `option`, "ssl" or "http2", but one whose clients begin with a PROXY header. $self->{over}
# has the ports, and the names of the sockets.
sub listen_with {
    my ($self, $text, $option) = @_;
    $self->{over} = {};
    $text =~ s{\blisten\s+(?:[\d.]+:(\d+)|unix:\S*/(\w+)\.sock)\b([^;]*);}{
        my ($place, $whole) = ($1 // $2, $&);
        if ($3 !~ /proxy_protocol/) {
            $self->{over}{$place} = 1;
            $whole =~ s/;$/ $option;/;
        }
        $whole;
    }ge;
    return $text;
}

sub over_tls {
    my ($self, $text) = @_;
    return "    ssl_certificate $self->{pair}.crt;\n    ssl_certificate_key $self->{pair}.key;\n" . $self->listen_with($text, 'ssl');
}

sub configure {
    my ($self, $group) = @_;
    my $own = join ' ', map { "${_}_temp_path $self->{dir}/tmp;" } qw(client_body proxy fastcgi uwsgi scgi);
    my $log = $group->{config} =~ /access_log/ ? '' : "    access_log off;\n";
    my $http = $self->substitute("    $own\n$log$group->{config}");
    $http = $self->over_tls($http) if $self->{pair};
    $http = $self->listen_with($http, 'http2') if $self->{http2};
    my $text = $self->substitute("daemon off;\nworker_processes 1;\npid \@DIR/pid;\nerror_log \@DIR/logs/error.log info;\n"
        . $group->{main} . "events { worker_connections 256; }\nhttp {\n") . "$http}\n";
    open my $out, '>', "$self->{dir}/server.conf" or die;
    print $out $text;
    close $out;
}

sub run {
    my ($self, @args) = @_;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$self->{dir}/output";
        open STDERR, '>&', \*STDOUT;
        exec $self->{program}, '-p', "$self->{dir}/", '-e', "$self->{dir}/logs/start.log", '-c', "$self->{dir}/server.conf", @args
            or _exit(127);
    }
    return $pid;
}

sub slurp {
    my ($path) = @_;
    open my $in, '<', $path or return '';
    local $/;
    return scalar(<$in>) // '';
}

sub output { return slurp("$_[0]{dir}/output") }

sub address_of {
    my ($self, $to) = @_;
    return (AF_UNIX, pack_sockaddr_un("$self->{dir}/$to.sock")) if $to !~ /^\d+$/;
    return (AF_INET, pack_sockaddr_in($self->{ports}[$to - 1], inet_aton($self->{address})));
}

sub dial {
    my ($self, $to) = @_;
    my ($family, $address) = $self->address_of($to);
    socket my $s, $family, SOCK_STREAM, 0 or die "socket: $!\n";
    bind $s, pack_sockaddr_in(0, inet_aton('127.0.0.1')) or die "bind: $!\n" if $family == AF_INET;
    return connect($s, $address) ? $s : undef;
}

# Until it accepts at each place that is asked.
sub start {
    my ($self, @places) = @_;
    $self->{pid} = $self->run;
    my $until = time + PATIENCE;
    for my $place (@places) {
        until ($self->dial($place)) {
            die "$self->{name} did not start:\n" . $self->output . slurp("$self->{dir}/logs/start.log")
                if time > $until || waitpid($self->{pid}, WNOHANG) > 0;
            select undef, undef, undef, 0.005;
        }
    }
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill 'QUIT', $pid;
    my $until = time + PATIENCE;
    until (waitpid($pid, WNOHANG) != 0) {
        kill 'TERM', $pid if time > $until;
        select undef, undef, undef, 0.002;
    }
}

sub is_over {
    my ($self, $to) = @_;
    return $self->{over}{$to =~ /^\d+$/ ? $self->{ports}[$to - 1] : $to};
}

my $context; # one for all: each would read the authorities of the system

# Agreed on, and not blocking: a record may be there that brings no bytes.
sub dial_tls {
    my ($self, $to) = @_;
    my $s = $self->dial($to) or return;
    return $s if !$self->{pair} || !$self->is_over($to);
    $context //= IO::Socket::SSL::SSL_Context->new(SSL_verify_mode => 0);
    $s = IO::Socket::SSL->start_SSL($s, SSL_reuse_ctx => $context, Timeout => PATIENCE) or return;
    $s->blocking(0);
    return $s;
}

# What of a request over HTTP/1 curl can say over HTTP/2, as its arguments; nothing where it is HTTP/1's alone: several requests, another
# version, no host, what nobody could parse, a line just as long as one may be; or has a body, which nginx 1.22 does not wait for before
# it resets the stream, and curl is confused.
sub curl_arguments {
    my ($bytes) = @_;
    my ($line, $head, $body) = $bytes =~ /^([^\r\n]*)\r\n(.*?\r\n|)\r\n(.*)\z/s or return;
    my ($method, $target) = $line =~ m{^([A-Z]+) ([/*][!-~\x80-\xff]{0,900}) HTTP/1\.1$} or return;
    my @fields = split /\r\n/, $head;
    my ($host) = map { /^Host: (\S+)$/i ? $1 : () } @fields or return;
    return if $body ne '' || $method eq 'CONNECT' || 1 != grep { /^Host:/i } @fields;
    return if grep { /^(Transfer-Encoding|Upgrade|Content-Length):/i || !/^[\w-]+:(?: \S|$)/ || /[^\t -~]|\s$/ } @fields;
    my @arguments = ('--request-target', $target, '-H', 'Accept:', '-H', 'User-Agent:');
    push @arguments, $method eq 'HEAD' ? '-I' : ('-i', '-X', $method);
    for my $field (grep { !/^(Connection|Keep-Alive|TE|Proxy-Connection):/i } @fields) {
        push @arguments, '-H', $field =~ /^([^:]+):\s*$/ ? "$1;" : $field;
    }
    return @arguments;
}

# The same by curl, whose head has the form of HTTP/1; undef: nothing that can be asked so.
sub ask_http2 {
    my ($self, $to, $bytes) = @_;
    my @arguments = curl_arguments($bytes) or return undef;
    return undef if !$self->is_over($to);
    my $place = "http://localhost/";
    if ($to =~ /^\d+$/) {
        $place = "http://$self->{address}:$self->{ports}[$to - 1]/";
        unshift @arguments, '--interface', '127.0.0.1';
    } else {
        unshift @arguments, '--unix-socket', "$self->{dir}/$to.sock";
    }
    my $pid = open(my $curl, '-|') // die "fork: $!\n";
    if ($pid == 0) {
        open STDERR, '>', '/dev/null';
        exec 'curl', '-q', '-s', '-g', '--http2-prior-knowledge', '--max-time', PATIENCE, @arguments, $place or _exit(127);
    }
    local $/;
    my $got = <$curl> // '';
    close $curl;
    return $? ? "$got(cut short)" : $got;
}

# Everything that comes back. When nothing more comes for a moment, our side of the connection is closed, so that a server
# that would wait for the next request ends it.
sub ask {
    my ($self, $to, $bytes) = @_;
    my $s = $self->dial_tls($to) or return "(cannot connect)";
    my $got = '';
    my $ready = IO::Select->new($s);
    my $until = time + PATIENCE;
    local $SIG{PIPE} = 'IGNORE';
    my $sent = syswrite $s, $bytes;
    return "(sent only part)" if defined $sent && $sent < length $bytes;
    my $open = 1;
    while (time < $until) {
        if (!(ref $s ne 'GLOB' && $s->pending) && !$ready->can_read($open ? QUIET : 1)) {
            shutdown $s, 1 if $open && $got ne '';
            $open = 0 if $got ne '' || time + PATIENCE - 2 > $until;
            next;
        }
        my $n = sysread $s, $got, 65536, length $got;
        next if !defined $n && $!{EAGAIN};
        return $got if !$n;
    }
    return "$got(still open)";
}

1;
