# A runner that cannot fail proves nothing: each of these blocks is wrong in one way, and must fail.
use strict;
use warnings;
use Cwd qw(cwd);
use File::Temp qw(tempdir);
use Test::More;

my $server = q{location /t { add_header X-A b; return 200 "hello\n"; }};
my %wrong = (
    'another status'          => ['--- error_code: 201'],
    'another body'            => ['--- response_body', 'hullo'],
    'a body unlike'           => ['--- response_body_like: ^x'],
    'a header'                => ['--- response_headers', 'X-A: c'],
    'a header that is there'  => ['--- response_headers', '!X-A'],
    'a header unlike'         => ['--- response_headers_like', 'X-A: c+'],
    'raw headers unlike'      => ['--- raw_response_headers_like: X-B'],
    'a log line missing'      => ['--- error_log', 'never written'],
    'a log line unwanted'     => ['--- no_error_log', 'http request line'],
    'a configuration that nginx accepts' => ['--- must_die'],
    'a section misspelt'      => ['--- respnse_body', 'hello'],
    'an alert'                => ['--- init', q{open my $log, '>>', server_root() . '/logs/error.log'; print $log "[alert] x\n"}],
);
my $dir = tempdir(CLEANUP => 1);
for my $what (sort keys %wrong) {
    my ($config, @sections) = ($server, @{$wrong{$what}});
    open my $out, '>', "$dir/wrong.t" or die;
    print $out join "\n", q{use Test::Nginx::Socket 'no_plan';}, 'run_tests();', '__DATA__', '=== TEST 1: wrong',
        '--- config', $config, '--- request', 'GET /t', @sections, '';
    close $out;
    local $ENV{TEST_NGINX_LOAD_MODULES} = '';
    local $ENV{TEST_NGINX_SERVROOT} = "$dir/root";
    delete local $ENV{TEST_NGINX_SERVER_PORT};
    system("$^X -I" . cwd() . "/t/lib/runner $dir/wrong.t >$dir/out 2>&1");
    isnt($?, 0, "$what fails");
}
done_testing();
