# load.pl STOP - asks for http://127.0.0.1/ by one new connection after the other, in three processes, until the file STOP exists.
# Prints how many answers were whole, and what went wrong; exits 1 where anything did.
use strict;
use warnings;
use IO::Socket::INET;

my $stop = shift;
my %wrong;

sub once {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => 80, Timeout => 20) or return "connect: $!";
    local $SIG{ALRM} = sub { die "no answer in 20 s\n" };
    my $answer = '';
    eval {
        alarm 20;
        print $s "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        1 while sysread($s, $answer, 65536, length $answer);
        alarm 0;
        1;
    } or return $@;
    my ($head, $body) = split /\r\n\r\n/, $answer, 2;
    return 'cut: ' . length($answer) . ' bytes' unless defined $body && $head =~ /^Content-Length: (\d+)/mi && $1 == length $body;
    return $head =~ /^(HTTP.*? 200)/ ? '' : (split /\r\n/, $head)[0];
}

pipe my $from, my $to or die;
for (1 .. 3) {
    next if fork;
    close $from;
    my $n = 0;
    until (-e $stop) {
        my $error = once();
        $error ? syswrite $to, "$error\n" : $n++;
    }
    syswrite $to, "answers $n\n";
    exit;
}
close $to;
my $answers = 0;
while (<$from>) {
    if (/^answers (\d+)/) { $answers += $1; next; }
    $wrong{$_}++;
}
print "answers $answers\n";
print "wrong: $wrong{$_} times $_" for keys %wrong;
exit(%wrong || !$answers ? 1 : 0);
