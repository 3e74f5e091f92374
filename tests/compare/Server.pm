# Server.pm - one of the two servers: its folder, its configuration, its process, and one connection's worth of bytes.
package Server;
use strict;
use warnings;
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

sub configure {
    my ($self, $group) = @_;
    my $own = join ' ', map { "${_}_temp_path $self->{dir}/tmp;" } qw(client_body proxy fastcgi uwsgi scgi);
    my $log = $group->{config} =~ /access_log/ ? '' : "    access_log off;\n";
    my $text = $self->substitute("daemon off;\nworker_processes 1;\npid \@DIR/pid;\nerror_log \@DIR/logs/error.log info;\n"
        . $group->{main} . "events { worker_connections 256; }\nhttp {\n    $own\n$log$group->{config}}\n");
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

# Everything that comes back. When nothing more comes for a moment, our side of the connection is closed, so that a server
# that would wait for the next request ends it.
sub ask {
    my ($self, $to, $bytes) = @_;
    my $s = $self->dial($to) or return "(cannot connect)";
    my $got = '';
    my $ready = IO::Select->new($s);
    my $until = time + PATIENCE;
    local $SIG{PIPE} = 'IGNORE';
    my $sent = syswrite $s, $bytes;
    return "(sent only part)" if defined $sent && $sent < length $bytes;
    my $open = 1;
    while (time < $until) {
        if (!$ready->can_read($open ? QUIET : 1)) {
            shutdown $s, 1 if $open && $got ne '';
            $open = 0 if $got ne '' || time + PATIENCE - 2 > $until;
            next;
        }
        my $n = sysread $s, $got, 65536, length $got;
        return $got if !$n;
    }
    return "$got(still open)";
}

1;
