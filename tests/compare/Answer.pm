# Answer.pm - bytes of a connection to responses in a comparable form: what may differ is masked, fields are in the order of
# their names (those of one name in the order they came).
package Answer;
use strict;
use warnings;

sub unchunk {
    my ($rest) = @_;
    my $body = '';
    while ($$rest =~ s/^([0-9a-fA-F]+)\r\n//) {
        my $len = hex $1;
        return $body . '(cut short)' if length $$rest < $len + 2;
        if ($len == 0) {
            my ($trailer) = $$rest =~ /^(.*?\r\n|)\r\n/s;
            $$rest =~ s/^(?:.*?\r\n)?\r\n//s;
            return $body . (($trailer // '') ne '' ? "\ntrailer: $trailer" : '');
        }
        $body .= substr $$rest, 0, $len, '';
        substr $$rest, 0, 2, '';
    }
    return $body . '(broken chunk)';
}

sub take_body {
    my ($rest, $status, $method, $fields) = @_;
    return '' if $method eq 'HEAD' || $status =~ /^(1..|204|304)/;
    return unchunk($rest) if grep { /^transfer-encoding: chunked/i } @$fields;
    my ($length) = map { /^content-length: (\d+)/i ? $1 : () } @$fields;
    return substr $$rest, 0, length $$rest, '' if !defined $length;
    return substr($$rest, 0, length $$rest, '') . '(cut short)' if length $$rest < $length;
    return substr $$rest, 0, $length, '';
}

sub mask_field {
    my ($field, $len, $head_of_page) = @_;
    $field =~ s/^(Date): .*/$1: */i;
    $field =~ s{^(Server): (?:nginx|sluice)(/[\d.]+)?.*}{"$1: *" . ($2 ? '/*' : '')}ie;
    $field =~ s/^(Content-Length): (\d+)$/$head_of_page || $2 == $len ? "$1: =" : "$1: $2"/ie;
    $field =~ s/boundary=\S+/boundary=*/;
    return $field;
}

# One response, or what is left as it is.
sub take {
    my ($rest, $method, $aside) = @_;
    if ($$rest !~ s{^HTTP/(1\.[01]|2) (\d+)( [^\r\n]*)?\r\n(.*?\r\n|)\r\n}{}s) {
        my $bytes = $$rest;
        $$rest = '';
        return { head => 'no head', body => mask_page($bytes) };
    }
    my ($version, $status, $reason, $head) = ($1, $2, $3 // '', $4);
    my @fields = split /\r\n/, $head;
    my $body = take_body($rest, $status, $method, \@fields);
    @fields = grep { my ($name) = /^([^:]*)/; !$aside->{lc $name} && ($status != 405 || lc $name ne 'allow') } @fields;
    my ($boundary) = map { /^content-type:.*boundary=(\S+)/i ? $1 : () } @fields;
    my $page = $method eq 'HEAD' && $status >= 300;
    my @masked = map { mask_field($_, length $body, $page) } @fields;
    my %at;
    my @order = sort { my ($x, $y) = map { lc(/^([^:]*)/ ? $1 : '') } @masked[$a, $b]; $x cmp $y || $a <=> $b } 0 .. $#masked;
    $body =~ s/\Q$boundary\E/*/g if defined $boundary;
    return { head => "HTTP/$version $status$reason", fields => [@masked[@order]], body => mask_page($body) };
}

sub mask_page {
    my ($body) = @_;
    $body =~ s{<center>(?:nginx|sluice)(/[\d.]+)?</center>}{'<center>*' . ($1 ? '/*' : '') . '</center>'}ge;
    return $body;
}

sub parse {
    my ($bytes, $request, $aside) = @_;
    my @methods = $request =~ m{^([A-Z]+) \S+ HTTP/1}mg;
    my @answers;
    while ($bytes ne '') {
        my $answer = take(\$bytes, $methods[0] // 'GET', $aside);
        shift @methods unless $answer->{head} =~ m{ 1\d\d };
        push @answers, $answer;
    }
    return \@answers;
}

sub text {
    my ($answers) = @_;
    return "(nothing)\n" if !@$answers;
    return join '', map { join("\n", $_->{head}, @{$_->{fields} // []}) . "\n\n" . $_->{body} . "\n" } @$answers;
}

1;
