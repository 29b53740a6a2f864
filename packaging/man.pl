#!/usr/bin/perl
# nginx-auth-js(7) from README.md, so that directives and variables are described once:
# man.pl <version> <docs> < README.md > nginx-auth-js.7; docs: where `make install` puts them.
# Understands the Markdown that README.md uses: headings, paragraphs, tables, lists, code in fences and in line.
use strict;
use warnings;

my ($version, $docs) = @ARGV == 2 ? splice @ARGV : die "usage: man.pl <version> <docs> < README.md\n";
my %wanted = map { $_ => 1 } ('Six lines', 'Directives', 'Variables', 'Limits');
my ($on, $code, @paragraph, @table) = (0, 0);

sub plain {  # text for roff, with nothing in it that roff would read
    my $s = shift;
    $s =~ s/\\/\\e/g;
    $s =~ s/-/\\-/g;
    $s =~ s/^([.'])/\\&$1/;
    return $s;
}

sub inline {
    my $s = shift;
    $s =~ s{\[conf\.examples\]\([^)]*\)}{`$docs/examples`};
    $s =~ s/\[([^\]]*)\]\([^)]*\)/$1/g;                     # a link is its text
    my $out = '';
    for my $part (split /(`[^`]*`|\*\*[^*]*\*\*)/, $s) {
        if    ($part =~ /^`(.*)`$/)     { $out .= '\fB' . plain($1) . '\fR' }
        elsif ($part =~ /^\*\*(.*)\*\*$/) { $out .= '\fI' . plain($1 =~ tr/`//dr) . '\fR' }
        else                            { $out .= plain($part) }
    }
    $out =~ s/^([.'])/\\&$1/;
    return $out;
}

sub flush_text {
    print '.PP', "\n", inline(join ' ', @paragraph), "\n" if @paragraph;
    @paragraph = ();
    my ($head, @rows) = @table;
    for my $row (@rows) {
        my ($name, @rest) = @$row;
        my @said = map { length $rest[$_] ? "$head->[$_ + 1]: $rest[$_]" : () } 0 .. $#rest;
        print ".TP\n", inline($name), "\n", inline(join '; ', @said), "\n";
    }
    @table = ();
}

# Left-aligned and without hyphenation: names are copied from here.
print qq(.TH NGINX-AUTH-JS 7 "" "ngx_http_auth_js_module $version"\n.nh\n.ad l\n);
print ".SH NAME\nnginx\\-auth\\-js \\- Auth.js inside nginx: directives and variables\n";
while (my $line = <STDIN>) {
    chomp $line;
    if ($line =~ /^```/) {
        flush_text();
        print $code ? ".EE\n.RE\n" : ".PP\n.RS 4\n.EX\n" if $on;
        $code = !$code;
    } elsif ($code) {
        print plain($line), "\n" if $on;
    } elsif ($line =~ /^(##+) (.*)/) {
        my ($depth, $title) = (length $1, $2);
        flush_text();
        $on = $wanted{$title} // 0 if $depth == 2;
        next unless $on;
        my $name = $title eq 'Six lines' ? 'SYNOPSIS' : uc $title;
        print $depth == 2 ? ".SH $name\n" : '.SS ' . inline($title) . "\n";
    } elsif (!$on) {
        next;
    } elsif ($line =~ /^\|(.*)\|$/) {
        my $cells = $1;
        next if $cells =~ /^[-|: ]+$/;
        $cells =~ s/\\\|/\0/g;                                # a bar that is text
        my @row = map { s/\0/|/gr =~ s/^\s+|\s+$//gr } split /\|/, $cells;
        push @table, \@row;
    } elsif ($line =~ /^\s*$/) {
        flush_text();
    } elsif ($line =~ /^- (.*)/) {
        flush_text();
        print ".IP \\(bu 2\n", inline($1), "\n";
        while (defined($line = <STDIN>) && $line =~ /^  +(\S.*)/) { print inline($1), "\n" }
        last unless defined $line;
        redo if $line =~ /\S/ && (chomp($line), 1);
    } else {
        push @paragraph, $line;
    }
}
flush_text();
print ".SH FILES\n.TP\n\\fB/etc/nginx/modules\\-enabled/50\\-mod\\-http\\-auth\\-js.conf\\fR\n",
    "loads the module where Debian's package is installed: leave line 1 of the synopsis out.\n";
print ".SH SEE ALSO\n\\fBnginx\\fR(8), https://authjs.dev\n";
