# Case.pm - reads a case file: files to make, configurations, and what is asked of both servers. See README.md.
package Case;
use strict;
use warnings;

sub unescape {
    my ($text) = @_;
    $text =~ s/\\(x[0-9a-fA-F]{2}|.)/
        my $c = $1;
        $c eq 'r' ? "\r" : $c eq 'n' ? "\n" : $c eq 't' ? "\t" : $c =~ m{^x(..)} ? chr(hex $1) : $c/gex;
    return $text;
}

# METHOD TARGET [HTTP/1.x] | Field: value | -Host ...
sub compose {
    my ($line) = @_;
    my ($first, @fields) = split /\s+\|\s+/, $line;
    my ($method, $target, $version) = split ' ', $first;
    my %without;
    @fields = grep { /^-(\S+)$/ ? ($without{lc $1} = 1, 0)[1] : 1 } @fields;
    for my $default ('Host: localhost', 'Connection: close') {
        my ($name) = $default =~ /^([^:]+)/;
        unshift @fields, $default unless $without{lc $name} || grep { /^\Q$name\E:/i } @fields;
    }
    my $body = '';
    @fields = grep { /^body=(.*)$/s ? ($body = $1, 0)[1] : 1 } @fields;
    push @fields, 'Content-Length: ' . length unescape($body) if $body ne '' && !grep { /^(Content-Length|Transfer)/i } @fields;
    return unescape(join("\r\n", "$method $target " . ($version // 'HTTP/1.1'), @fields) . "\r\n\r\n" . $body);
}

my %handlers = (
    file => sub {
        my ($case, $group, $rest) = @_;
        my ($name, $text) = $rest =~ /^(\S+) ?(.*)$/s;
        $text = $text =~ /^\*(\d+)$/ ? pattern($1) : unescape($text);
        push @{$case->{files}}, [file => unescape($name), $text];
    },
    dir   => sub { push @{$_[0]{files}}, [dir => unescape($_[2])] },
    link  => sub { push @{$_[0]{files}}, [link => split(' ', $_[2])] },
    mode  => sub { push @{$_[0]{files}}, [mode => split(' ', $_[2])] },
    mtime => sub { push @{$_[0]{files}}, [mtime => map { unescape($_) } split(' ', $_[2])] },
    main  => sub { $_[1]{main} .= "$_[2]\n" },
    needs => sub { push @{$_[1]{needs}}, split(' ', $_[2]) },
    aside => sub {
        my ($key, @fields) = split ' ', $_[2];
        reason($_[0], $key);
        $_[1]{aside}{lc $_} = $key for @fields;
    },
    mask  => sub { push @{$_[1]{mask}}, $_[2] },
    log   => sub { push @{$_[1]{logs}}, { name => $_[2], differs => delete $_[0]{differs} } },
    to    => sub { $_[1]{to} = $_[2] },
    raw   => sub { add($_[0], $_[1], [raw => $_[2], unescape($_[2])]) },
    test  => sub { add($_[0], $_[1], [test => "-t"]) },
    differs => sub { $_[0]{differs} = reason($_[0], $_[2]) },
);

# Why an answer is not nginx's stands in reasons.txt, which the compatibility page prints.
my %reasons;
sub reason {
    my ($case, $key) = @_;
    if (!%reasons) {
        my ($dir) = __FILE__ =~ m{^(.*)/} ? $1 : '.';
        open my $in, '<', "$dir/reasons.txt" or die "$dir/reasons.txt: $!\n";
        /^(\S+): / and $reasons{$1} = 1 while <$in>;
    }
    die "$case->{path}:$.: no reason \"$key\" in reasons.txt\n" if !$reasons{$key};
    return $key;
}

sub add {
    my ($case, $group, $what) = @_;
    push @{$group->{asks}}, { kind => $what->[0], name => $what->[1], bytes => $what->[2], to => $group->{to},
                              line => $., differs => delete $case->{differs} };
}

# Bytes that tell where in the file they are from.
sub pattern {
    my ($len) = @_;
    my $text = '';
    $text .= sprintf "%07d\n", length $text while length $text < $len;
    return substr $text, 0, $len;
}

sub read_file {
    my ($path) = @_;
    my $case = { path => $path, files => [], groups => [] };
    my $group;
    open my $in, '<', $path or die "$path: $!\n";
    while (my $line = <$in>) {
        chomp $line;
        next if $line =~ /^#/ || $line =~ /^\s*$/;
        if ($line =~ /^== (.*)/) {
            $group = { title => $1, config => '', main => '', asks => [], logs => [], mask => [], aside => {}, needs => [], to => 1, line => $. };
            push @{$case->{groups}}, $group;
        } elsif ($line =~ /^\s/) {
            $group->{config} .= "$line\n";
        } elsif ($line =~ /^[A-Z]+ /) {
            add($case, $group, [request => $line, compose($line)]);
        } elsif ($line =~ /^(\w+)(?: (.*))?$/ && $handlers{$1}) {
            $handlers{$1}->($case, $group, $2 // '');
        } else {
            die "$path:$.: not understood: $line\n";
        }
    }
    die "$path: a \"differs\" without a request after it\n" if $case->{differs};
    return $case;
}

1;
