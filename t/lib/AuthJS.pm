# What blocks need of Auth.js: session cookies, made by build/tools/token (`make build/tools/token`).
package AuthJS;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw($secret session token tampered);
our $secret = '0123456789abcdef0123456789abcdef';

my $tool = $ENV{AUTH_JS_TOKEN} || 'build/tools/token';

# token(claims as JSON, name => cookie's name, secret =>, age =>, moved => made so many seconds ago)
sub token {
    my ($claims, %o) = @_;
    open my $out, '-|', $tool, $o{secret} // $secret, $o{name} // 'authjs.session-token', $claims,
        $o{age} // 2592000, $o{moved} // 0 or die "$tool: $!";
    local $/;
    my $token = <$out>;
    close $out or die "$tool failed";
    return $token;
}

# session(claims, ...) is the Cookie header's line; without claims, Ada's.
sub session {
    my ($claims, %o) = @_;
    $claims //= '{"sub":"u1","name":"Ada","email":"ada@example.com","picture":"https://img.example/a.png"}';
    return 'Cookie: ' . ($o{name} // 'authjs.session-token') . '=' . token($claims, %o);
}

# tampered(line): the same with one character of the ciphertext changed.
sub tampered {
    my ($line) = @_;
    my $at = rindex($line, '.') - 10;
    substr($line, $at, 1) = substr($line, $at, 1) eq 'A' ? 'B' : 'A';
    return $line;
}

1;
