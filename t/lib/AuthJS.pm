# What blocks need of Auth.js: session cookies, made by build/tools/token (`make build/tools/token`).
package AuthJS;

use strict;
no strict 'refs';
use warnings;
use Exporter 'import';

our @EXPORT = qw($secret $http with_site session token tampered);
our $secret = '0123456789abcdef0123456789abcdef';

# What a site needs that protects something: in http { } of every block that begins with with_site.
our $http = "    auth_js_secret $secret;" . q(
    auth_js_provider forge {
        type oauth; client_id me; client_secret s3cret;
        authorization_url https://forge.example/authorize; token_url https://forge.example/token;
        userinfo_url https://forge.example/user; profile '{id: .id|tostring, name}';
    }
);
# with_site is a block preprocessor: $http stands in front of the block's own http_config.
sub with_site {
    my $block = shift;
    my $own = $block->http_config;
    $block->set_value(http_config => $http . ($own // ''));
}

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

# What stands in an `eval` section runs in the package of Test::Base's filters.
*Test::Base::Filter::secret = \$secret;
*{"Test::Base::Filter::$_"} = __PACKAGE__->can($_) for qw(session token tampered);

1;
