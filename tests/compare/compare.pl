#!/usr/bin/perl
# compare.pl [-v] [case file ...] - the same configurations and requests for nginx and sluice, answers side by side.
#
# Of perl only what Debian's perl-base has; with COMPARE_OVER=tls, where every address speaks TLS, libio-socket-ssl-perl too; with
# COMPARE_OVER=h2, where every address speaks HTTP/2, curl. SLUICE and NGINX name the binaries. Without nginx it says that it skips, and succeeds. -v prints every answer.
use strict;
use warnings;
use lib $0 =~ m{^(.*)/} ? $1 : '.';
use Case;
use Server;
use Answer;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Socket;
use POSIX ();

use constant REFERENCE => '1.22'; # of nginx: others answer some of this differently

use constant LINES_SHOWN => 24; # of one difference, without -v

my $verbose = @ARGV && $ARGV[0] eq '-v' && shift @ARGV;
my $sluice = $ENV{SLUICE} // 'build/sluice';
my $nginx = $ENV{NGINX} // (grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin')[0];
my $tmp;
my $tls = ($ENV{COMPARE_OVER} // '') eq 'tls';
my $http2 = ($ENV{COMPARE_OVER} // '') eq 'h2';
my $pair; # over TLS: where the certificate and the key lie, without .crt and .key

sub say_line { print @_, "\n" }

# Free on both addresses at once.
sub free_port {
    for (1 .. 100) {
        socket my $a, AF_INET, SOCK_STREAM, 0;
        bind $a, pack_sockaddr_in(0, inet_aton('127.0.0.2')) or next;
        my ($port) = unpack_sockaddr_in getsockname $a;
        socket my $b, AF_INET, SOCK_STREAM, 0;
        return $port if bind $b, pack_sockaddr_in($port, inet_aton('127.0.0.3'));
    }
    die "no free port\n";
}

sub make_files {
    my ($case, $root) = @_;
    make_path($root);
    for my $entry (@{$case->{files}}) {
        my ($kind, $name, $what) = @$entry;
        my $path = "$root/$name";
        make_path($path =~ m{^(.*)/}) if $kind ne 'mode';
        if ($kind eq 'file') {
            open my $out, '>', $path or die "$path: $!\n";
            print $out $what;
            close $out;
            utime 1600000000, 1600000000, $path;
        } elsif ($kind eq 'dir') {
            make_path($path);
        } elsif ($kind eq 'link') {
            symlink $what, $path or die "$path: $!\n";
        } elsif ($kind eq 'mode') {
            chmod oct $what, $path;
        } else {
            utime $what, $what, $path;
        }
    }
}

my @months = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);
sub epoch {
    my ($text) = @_;
    my ($day, $month, $year, $h, $m, $s) = $text =~ /(\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d)/ or return;
    my ($index) = grep { $months[$_] eq $month } 0 .. 11;
    return POSIX::mktime($s, $m, $h, $day, $index, $year - 1900);
}

# The second may have changed between the two servers.
sub near {
    my ($a, $b) = @_;
    return $a eq $b if $a !~ /^(Expires|Set-Cookie):/i || $b !~ /^\Q$1\E:/;
    my ($x, $y) = map { epoch($_) } $a, $b;
    return defined $x && defined $y && abs($x - $y) <= 3 if $a =~ /^Expires/i;
    $_ =~ s/(expires=)[^;]*/$1*/ for $a, $b;
    return $a eq $b;
}

sub normal {
    my ($text, $server, $masks) = @_;
    $text =~ s/\Q$server->{dir}\E/\@DIR/g;
    $text =~ s/\Q$server->{root}\E/\@ROOT/g;
    $text =~ s/\Q$server->{address}\E/\@ADDR/g;
    $text =~ s/$_/*/g for map { $http2 ? "(?i)$_" : $_ } @$masks;
    return $text;
}

sub same {
    my ($x, $y) = @_;
    my @x = split /\n/, $x, -1;
    my @y = split /\n/, $y, -1;
    return 0 if @x != @y;
    near($x[$_], $y[$_]) or return 0 for 0 .. $#x;
    return 1;
}

# The first complaint, without who says it and when.
sub complaint {
    my ($server) = @_;
    my ($line) = $server->output =~ /^(.*\[(?:emerg|crit|alert)\].*)$/m;
    $line //= '(accepted)';
    $line =~ s/^.*?\[(\w+)\] (?:\d+#\d+: )?/[$1] /;
    return "$line\n";
}

sub answer_of {
    my ($server, $ask, $group) = @_;
    if ($ask->{kind} eq 'test') {
        waitpid $server->run('-t'), 0;
        return normal('exit ' . ($? >> 8) . "\n" . complaint($server), $server, $group->{mask});
    }
    my $request = $server->substitute($ask->{bytes});
    if ($http2) {
        my $got = $server->ask_http2($ask->{to}, $request);
        return defined $got ? normal(Answer::text(Answer::parse($got, $request, $group->{aside})), $server, $group->{mask}) : undef;
    }
    return normal(Answer::text(Answer::parse($server->ask($ask->{to}, $request), $request, $group->{aside})), $server, $group->{mask});
}

my (%known, %count, @differs);

# Where they differ: lines that only nginx has with -, those that only sluice has with +, after the status line.
sub side_by_side {
    my ($x, $y) = map { [split /\n/] } @_;
    my @longest; # of the common parts of what is behind i and j
    for my $i (reverse 0 .. @$x) {
        for my $j (reverse 0 .. @$y) {
            $longest[$i][$j] = $i == @$x || $j == @$y ? 0
                : $x->[$i] eq $y->[$j] ? 1 + $longest[$i + 1][$j + 1]
                : $longest[$i + 1][$j] > $longest[$i][$j + 1] ? $longest[$i + 1][$j] : $longest[$i][$j + 1];
        }
    }
    my ($i, $j, @lines) = (0, 0);
    while ($i < @$x || $j < @$y) {
        if ($i < @$x && $j < @$y && $x->[$i] eq $y->[$j]) {
            push @lines, "   $x->[$i]" if $i == 0;
            $i++, $j++;
        } elsif ($i < @$x && ($j == @$y || $longest[$i + 1][$j] >= $longest[$i][$j + 1])) {
            push @lines, " - $x->[$i++]";
        } else {
            push @lines, " + $y->[$j++]";
        }
    }
    splice @lines, LINES_SHOWN, @lines, '   ...' if @lines > LINES_SHOWN && !$verbose;
    return join "\n", @lines, '';
}

sub show {
    my ($case, $group, $ask, $n, $s, $why) = @_;
    for ($n, $s) {
        $_ = substr($_, 0, 20000) . "\n..." if length > 20000;
        s/([^\n\t -~])/sprintf '\\x%02x', ord $1/ge;
    }
    my $name = length $ask->{name} > 200 ? substr($ask->{name}, 0, 200) . '...' : $ask->{name};
    say_line("$case->{path}:$ask->{line}: $group->{title}: $name: $why (- nginx, + sluice)\n", side_by_side($n, $s));
}

sub judge {
    my ($case, $group, $ask, $n, $s) = @_;
    return if !defined $n || !defined $s;
    my $same = same($n, $s);
    $count{compared}++;
    $count{listed}++ if $ask->{differs} && !$same;
    if (!$same && !$ask->{differs} || $same && $ask->{differs} && !$http2) {
        $count{failed}++;
        show($case, $group, $ask, $n, $s, $same ? 'no longer differs' : 'differs');
    } elsif ($verbose) {
        show($case, $group, $ask, $n, $s, $same ? 'same' : "differs: $ask->{differs}");
    }
}

my $group_count = 0;

sub run_group {
    my ($case, $group, $root) = @_;
    if (my @missing = grep { !$known{$_} } @{$group->{needs}}) {
        $count{skipped} += @{$group->{asks}};
        say_line("$case->{path}:$group->{line}: skipped, this build has no @missing");
        return;
    }
    my $ports = [map { free_port() } 1 .. 4];
    my $id = sprintf '%05d%03d', $$, $group_count++;
    my @servers = map { Server->new(%$_, root => $root, ports => $ports, pair => $pair, http2 => $http2) }
        { name => 'nginx', program => $nginx, address => '127.0.0.2', dir => "$tmp/n$id" },
        { name => 'sluice', program => $sluice, address => '127.0.0.3', dir => "$tmp/s$id" };
    $_->configure($group) for @servers;
    my @places = do { my %seen; grep { !$seen{$_}++ } map { $_->{to} } grep { $_->{kind} ne 'test' } @{$group->{asks}} };
    my $started = !@places || eval { $_->start(@places) for @servers; 1 };
    if (!$started) {
        my $lacking = $@ =~ /^nginx .*(?:unknown directive|dlopen\(\))/s; # a build of nginx without that module
        $count{$lacking ? 'skipped' : 'failed'}++;
        say_line("$case->{path}:$group->{line}: $group->{title}: ", $lacking ? 'skipped: ' : '', $@);
    }
    my ($crashes, $left_out) = (0, 0);
    for my $ask ($started ? @{$group->{asks}} : ()) {
        next if ($tls || $http2) && $ask->{kind} eq 'test'; # says nothing of either
        my @answers = map { answer_of($_, $ask, $group) } @servers;
        $left_out += grep { !defined } @answers;
        judge($case, $group, $ask, @answers);
        my $now = () = Server::slurp("$servers[1]{dir}/logs/error.log") =~ /exited on signal/g;
        next if $now == $crashes;
        $crashes = $now;
        $count{failed}++;
        say_line("$case->{path}:$ask->{line}: a worker died, at or before this request");
    }
    $_->stop for @servers;
    for my $log ($started && !$left_out ? @{$group->{logs}} : ()) {
        my $ask = { name => "log $log->{name}", line => $group->{line}, differs => $log->{differs} };
        judge($case, $group, $ask, map { normal(Server::slurp("$_->{dir}/logs/$log->{name}"), $_, $group->{mask}) } @servers);
    }
}

sub run_case {
    my ($path) = @_;
    my $case = Case::read_file($path);
    my ($name) = $path =~ m{([^/]+)$};
    my $root = "$tmp/root-$name";
    make_files($case, $root);
    run_group($case, $_, $root) for @{$case->{groups}};
    return join ' ', map { $count{$_} // 0 } qw(compared listed skipped failed);
}

# Case files run side by side, a few at a time; what they print comes in their order.
sub run_all {
    my @paths = @_;
    my (%running, @total);
    my $jobs = $ENV{JOBS} // 3;
    my @waiting = @paths;
    while (@waiting || %running) {
        while (@waiting && keys %running < $jobs) {
            my $path = shift @waiting;
            my ($name) = $path =~ m{([^/]+)$};
            my $pid = fork // die "fork: $!\n";
            if ($pid == 0) {
                open STDOUT, '>', "$tmp/$name.out" or die;
                $| = 1;
                my $sum = eval { run_case($path) };
                print $@ if !defined $sum;
                print "\n#", $sum // '0 0 0 1', "\n";
                close STDOUT;
                POSIX::_exit(0);
            }
            $running{$pid} = $name;
        }
        delete $running{wait()};
    }
    for my $path (@paths) {
        my ($name) = $path =~ m{([^/]+)$};
        my $out = Server::slurp("$tmp/$name.out");
        my @sum = $out =~ s/\n#(\d+) (\d+) (\d+) (\d+)\n\z// ? ($1, $2, $3, $4) : (0, 0, 0, 1);
        print $out;
        $total[$_] += $sum[$_] for 0 .. 3;
    }
    return @total;
}

if (!$nginx) {
    say_line('compare: nginx is not installed: skipped (make bench-deps installs it)');
    exit 0;
}
if ($tls && !eval { require IO::Socket::SSL; 1 }) {
    say_line('compare: no libio-socket-ssl-perl: skipped over TLS');
    exit 0;
}
if ($http2 && (`curl --version 2>/dev/null` !~ /\bHTTP2\b/ || `$nginx -V 2>&1` !~ /http_v2_module/ || `$sluice -V 2>&1` !~ /nghttp2/)) {
    say_line('compare: no curl, nginx or sluice with HTTP/2: skipped over HTTP/2');
    exit 0;
}
my $begin = time;
$ENV{TZ} = 'UTC';
$tmp = tempdir('sluice-compare-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{KEEP});
chmod 0755, $tmp;
if ($tls) {
    $pair = "$tmp/tls";
    system("openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 60 -subj /CN=localhost "
        . "-keyout $pair.key -out $pair.crt 2>/dev/null") == 0
        or die "compare: no certificate by openssl\n";
}
$known{$_} = 1 for `$sluice --directives` =~ /^### (\S+)/mg;
die "compare: $sluice --directives says nothing\n" if !%known;
my @paths = @ARGV ? @ARGV : sort glob "$INC[0]/cases/*.case";
my ($compared, $listed, $skipped, $failed) = run_all(@paths);
printf "compare%s: %d answers beside nginx's: %d the same, %d differ as listed, %d failed, %d skipped; %.0f s\n",
    $tls ? ' over TLS' : $http2 ? ' over HTTP/2' : '', $compared, $compared - $listed - $failed, $listed, $failed, $skipped, time - $begin;
my ($version) = `$nginx -v 2>&1` =~ m{nginx/(\d+\.\d+)};
if ($failed && ($version // '') ne REFERENCE) {
    say_line("compare: this is nginx ", $version // '?', ', the answers were made with ', REFERENCE, ': not a failure');
    $failed = 0;
}
exit($failed ? 1 : 0);
