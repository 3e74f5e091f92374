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

# Every address of the configuration speaks TLS, but one whose clients begin with a PROXY header. $self->{tls} has the ports, and
# the names of the sockets.
sub over_tls {
    my ($self, $text) = @_;
    $self->{tls} = {};
    $text =~ s{\blisten\s+(?:[\d.]+:(\d+)|unix:\S*/(\w+)\.sock)\b([^;]*);}{
        my ($place, $whole) = ($1 // $2, $&);
        if ($3 !~ /proxy_protocol/) {
            $self->{tls}{$place} = 1;
            $whole =~ s/;$/ ssl;/;
        }
        $whole;
    }ge;
    return "    ssl_certificate $self->{pair}.crt;\n    ssl_certificate_key $self->{pair}.key;\n$text";
}

sub configure {
    my ($self, $group) = @_;
    my $own = join ' ', map { "${_}_temp_path $self->{dir}/tmp;" } qw(client_body proxy fastcgi uwsgi scgi);
    my $log = $group->{config} =~ /access_log/ ? '' : "    access_log off;\n";
    my $http = $self->substitute("    $own\n$log$group->{config}");
    $http = $self->over_tls($http) if $self->{pair};
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

my $context; # one for all: each would read the authorities of the system

# Agreed on, and not blocking: a record may be there that brings no bytes.
sub dial_tls {
    my ($self, $to) = @_;
    my $s = $self->dial($to) or return;
    return $s if !$self->{tls}{$to =~ /^\d+$/ ? $self->{ports}[$to - 1] : $to};
    $context //= IO::Socket::SSL::SSL_Context->new(SSL_verify_mode => 0);
    $s = IO::Socket::SSL->start_SSL($s, SSL_reuse_ctx => $context, Timeout => PATIENCE) or return;
    $s->blocking(0);
    return $s;
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
