# A small runner for Test::Nginx blocks, over Test::Base: the part of OpenResty's dialect that our
# tests use, so that the same *.t files run under either (`make test TEST_NGINX=real`). OpenResty's
# is neither in Debian nor on npm.
#
# Sections: config, http_config, main_config, server_name, user_files, log_level, init, must_die,
# request, raw_request, pipelined_requests, more_headers, timeout, abort, shutdown, wait,
# ignore_response, error_code, error_code_like, response_headers, response_headers_like,
# raw_response_headers_like, raw_response_headers_unlike, response_body, response_body_like,
# response_body_unlike, error_log, no_error_log, grep_error_log, grep_error_log_out, skip_nginx,
# skip_eval; Test::Base brings ONLY, LAST, SKIP and the filters (eval, chomp, chop ...). A section that
# it does not know ends the run: a misspelt one would test nothing.
#
# Where it is stricter: an [alert], [crit] or [emerg] in the error log fails the block, the records of
# nginx's exit included, unless `error_log` or `must_die` asks for it. Where it is kinder: the port is
# a free one of 127.0.0.1, the server root has the process id in its name (so `prove -j` works), and an
# expected log line may come up to a second late.
package Test::Nginx::Socket;

use v5.10.1;
use strict;
use warnings;
use Test::Base -base;
use Test::More ();
use Cwd ();
use Errno qw(EINTR);
use File::Path qw(make_path remove_tree);
use IO::Select;
use IO::Socket::INET;
use List::Util qw(shuffle);
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(plan run_tests repeat_each check_accum_error_log no_long_string no_shuffle no_root_location workers
    worker_connections master_on master_off log_level timeout server_addr server_name server_port
    server_port_for_client server_root html_dir config_preamble env_to_nginx add_block_preprocessor
    add_cleanup_handler bail_out);

my %known = map { $_ => 1 } qw(name description config http_config main_config server_name user_files log_level
    init must_die request raw_request pipelined_requests more_headers timeout abort shutdown wait
    ignore_response error_code error_code_like response_headers response_headers_like
    raw_response_headers_like raw_response_headers_unlike response_body response_body_like
    response_body_unlike error_log no_error_log grep_error_log grep_error_log_out skip_nginx skip_eval
    ONLY LAST SKIP);

my $binary  = $ENV{TEST_NGINX_BINARY} || 'nginx';
my $modules = $ENV{TEST_NGINX_LOAD_MODULES} // 'build/ngx_http_auth_js_module.so';
my $root    = $ENV{TEST_NGINX_SERVROOT} || Cwd::cwd() . "/t/servroot_$$";
my $port    = $ENV{TEST_NGINX_SERVER_PORT} ||= free_port();
my %opt = (
    repeat => 1, shuffle => !$ENV{TEST_NGINX_NO_SHUFFLE}, root_location => 1, workers => 1,
    connections => 64, master => 'on', log_level => $ENV{TEST_NGINX_LOG_LEVEL} || 'debug',
    timeout => $ENV{TEST_NGINX_TIMEOUT} || 3, name => 'localhost', preamble => '',
);
my (@env, @preprocessors, @cleanups, $nginx, $previous_config, %rand_port);
my ($log_from, $log_read) = (0, 0);            # where the log's records of this request begin and end

sub setting { my $key = shift; sub { $opt{$key} = shift if @_; $opt{$key} } }
{
    no strict 'refs';
    my %setters = (repeat_each => 'repeat', workers => 'workers', worker_connections => 'connections',
                   log_level => 'log_level', timeout => 'timeout', server_name => 'name',
                   config_preamble => 'preamble');
    *$_ = setting($setters{$_}) for keys %setters;
}
sub no_long_string   { }                       # how a difference is shown: always in full here
sub no_shuffle       { $opt{shuffle} = 0 }
sub check_accum_error_log { $opt{whole_log} = 1 }
sub no_root_location { $opt{root_location} = 0 }
sub master_on        { $opt{master} = 'on' }
sub master_off       { $opt{master} = 'off' }
sub server_addr      { '127.0.0.1' }
sub server_port      { $port }
sub server_port_for_client { $port }
sub server_root      { $root }
sub html_dir         { "$root/html" }
sub env_to_nginx     { push @env, @_ }
sub add_block_preprocessor (&) { push @preprocessors, shift }
sub add_cleanup_handler { push @cleanups, shift }
sub bail_out { stop_nginx(); Test::More::BAIL_OUT(join '', @_) }

sub free_port {
    my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1)
        or die "no free port on 127.0.0.1: $!\n";
    return $s->sockport;
}

sub run_tests {
    my @blocks = Test::Base::blocks();
    for my $block ($opt{shuffle} ? shuffle(@blocks) : @blocks) {
        $_->($block) for @preprocessors;
        $block->set_value(name => "$0 " . $block->name);
        run_block($block);
    }
    $_->() for @cleanups;
    remove_tree($root) if Test::More->builder->is_passing;
}

# section is the value of one section; undef where the block has none.
sub section { my ($block, $name) = @_; defined $block->{$name} ? scalar $block->$name : undef }

sub run_block {
    my $block = shift;
    my $name  = $block->name;
    for (grep { !/^_/ && !$known{$_} && ref $block->{$_} eq 'ARRAY' } keys %$block) {
        bail_out("$name: this runner knows no section '$_'");
    }
    my ($count, $why) = to_skip($block);
    if (defined $why) {
        my $builder = Test::More->builder;
        $builder->skip("$name - $why") for 1 .. $count * $opt{repeat};
        return;
    }
    %rand_port = ();
    start_nginx($block);
    if (defined section($block, 'must_die')) {
        must_die($block);
        return;
    }
    for my $again (0 .. $opt{repeat} - 1) {
        if (defined(my $code = section($block, 'init'))) {
            eval "package main; $code; 1" or bail_out("$name - init: $@");
        }
        ask($block, $again);
    }
    my $left = stop_nginx();
    Test::More::fail("$name - nginx $left") if $left;
    no_alarm($block);
}

# skip_nginx: "N: >= 1.23.0"; skip_eval: "N: perl". N tests are skipped where it is true.
sub to_skip {
    my $block = shift;
    if ((section($block, 'skip_eval') // '') =~ /^\s*(\d+)\s*:\s*(.*)/s) {
        my ($n, $code) = ($1, $2);
        my $skip = eval $code;
        bail_out($block->name . " - skip_eval: $@") if $@;
        return ($n, 'skip_eval') if $skip;
    }
    if ((section($block, 'skip_nginx') // '') =~ /^\s*(\d+)\s*:\s*([<>]=?|==|!=)\s*([\d.]+)/) {
        my ($n, $op, $than) = ($1, $2, version_number($3));
        my ($version) = `$binary -v 2>&1` =~ m{nginx/([\d.]+)};
        return ($n, "nginx $op $3") if eval version_number($version) . " $op $than";
    }
    return;
}
sub version_number { my @v = split /\./, shift; return $v[0] * 1e6 + $v[1] * 1e3 + ($v[2] // 0) }

# --- nginx ----------------------------------------------------------------------------------------

# $TEST_NGINX_NAME in a text is that environment variable; ..._RAND_PORT_N a free port of the block.
sub expand {
    my ($text, $name) = @_;
    return $text if !defined $text || ref $text;
    $text =~ s{\$(TEST_NGINX_[_A-Z0-9]+)}{
        my $variable = $1;
        $variable =~ /_RAND_PORT_\d+$/ ? $rand_port{$variable} //= free_port()
            : $ENV{$variable} // bail_out("$name - no environment variable $variable")
    }ge;
    return $text;
}

sub start_nginx {
    my $block  = shift;
    my $name   = $block->name;
    my $config = section($block, 'config') // $previous_config
        // bail_out("$name - no config section, here or before");
    $previous_config = $config;
    $log_from = 0;
    my $part = sub { expand(section($block, $_[0]), $name) // '' };
    my $load = join '', map { 'load_module ' . Cwd::abs_path($_) . ";\n" } split ' ', $modules;

    remove_tree($root);
    make_path("$root/logs", "$root/html", "$root/conf");
    spew("$root/html/index.html",
         '<html><head><title>It works!</title></head><body>It works!</body></html>');
    user_files($block);
    spew("$root/conf/nginx.conf", join "\n",
        "worker_processes $opt{workers};", 'daemon off;', "master_process $opt{master};",
        "error_log $root/logs/error.log " . (section($block, 'log_level') || $opt{log_level}) . ';',
        "pid $root/logs/nginx.pid;", 'env LD_PRELOAD;', 'env ASAN_OPTIONS;',
        (map { "env '$_';" } @env), $> == 0 ? 'user root;' : (), $load . $part->('main_config'),
        "http {\n    access_log $root/logs/access.log;",
        (map { "    ${_}_temp_path $root/${_}_temp;" } qw(client_body proxy fastcgi scgi uwsgi)),
        "    default_type text/plain;\n    keepalive_timeout 68000ms;", $part->('http_config'),
        "    server {\n        listen 127.0.0.1:$port;",
        "        server_name '" . (section($block, 'server_name') // $opt{name}) . "';",
        '        client_max_body_size 30M;', $opt{preamble}, expand($config, $name),
        $opt{root_location}
            ? "        location / { root $root/html; index index.html index.htm; }" : (),
        "    }\n}\nevents { accept_mutex off; worker_connections $opt{connections}; }\n");

    my $pid = fork() // bail_out("fork: $!");
    if (!$pid) {
        open STDOUT, '>', "$root/logs/stdout";
        open STDERR, '>', "$root/logs/stderr";
        { exec $binary, "-e", "$root/logs/error.log", "-p", "$root/", "-c", "$root/conf/nginx.conf" }
        POSIX::_exit(127);
    }
    $nginx = $pid;
    return if defined section($block, 'must_die');
    for (my $until = time + 20; ; sleep 0.005) {
        return if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
        if (waitpid($pid, WNOHANG) == $pid) {
            undef $nginx;
            bail_out("$name - nginx does not start:\n", slurp("$root/logs/stderr"));
        }
        bail_out("$name - nginx does not listen on 127.0.0.1:$port after 20 s") if time > $until;
    }
}

# stop_nginx asks for a graceful exit and answers what went wrong, or undef.
sub stop_nginx {
    my $pid = $nginx or return;
    undef $nginx;
    for my $try ([QUIT => 5], [TERM => 2], [KILL => 2]) {
        my ($signal, $patience) = @$try;
        kill $signal, $pid;
        for (my $until = time + $patience; time < $until; sleep 0.005) {
            next if waitpid($pid, WNOHANG) != $pid;
            return $signal ne 'QUIT' ? "did not leave gracefully within 5 s" : $? ? "ended with $?" : undef;
        }
    }
    return "process $pid cannot be ended";
}
END { my $status = $?; stop_nginx(); $? = $status }
# PIPE: prove gave up and reads no more.
$SIG{INT} = $SIG{TERM} = $SIG{PIPE} = sub { exit 1 };

sub must_die {
    my $block = shift;
    my ($name, $wanted) = ($block->name, section($block, 'must_die'));
    my $gone;
    for (my $until = time + 10; !$gone && time < $until; sleep 0.005) {
        $gone = waitpid($nginx, WNOHANG) == $nginx;
    }
    my $status = $? >> 8;
    if ($gone) { undef $nginx } else { stop_nginx() }
    if ($wanted =~ /^\s*(\d+)/) {
        Test::More::is($gone && $status, $1, "$name - nginx ends with status $1");
    } else {
        Test::More::ok($gone && $status, "$name - nginx must die");
    }
    check_error_log($block, 0);
}

sub user_files {
    my $block = shift;
    my $files = section($block, 'user_files') // return;
    if (!ref $files) {
        my @parts = split /^>>> (\S+)(?:[ \t]+(\S+))?[ \t]*\n/m, $files, -1;
        shift @parts;
        my @list;
        push @list, [@parts[0, 2, 1]] and splice @parts, 0, 3 while @parts;
        $files = \@list;
    }
    for (@$files) {
        my ($file, $body, $date) = @$_;
        my $path = $file =~ m{^/} ? $file : "$root/html/$file";
        make_path($path =~ m{(.*)/});
        spew($path, expand($body // '', $block->name));
        next if !$date;
        system('env', 'TZ=GMT', 'touch', '-t', $date, $path) == 0 or bail_out("touch -t $date $path");
    }
}

sub spew {
    my ($path, $text) = @_;
    open my $out, '>:raw', $path or bail_out("$path: $!");
    utf8::encode($text) if utf8::is_utf8($text);
    print $out $text;
    close $out or bail_out("$path: $!");
}
sub slurp {
    open my $in, '<:raw', shift or return '';
    local $/;
    return scalar <$in> // '';
}

# --- asking ---------------------------------------------------------------------------------------

# A request is written as "METHOD [url [version]]", then the body; the rest is added. It may be a list
# of packets, strings or {value, delay_before}: the parts of one such text.
sub requests {
    my $block = shift;
    my $name  = $block->name;
    my $raw   = section($block, 'raw_request');
    return [map { ref $_ ? $_ : {value => $_} } ref $raw ? @$raw : $raw] if defined $raw;

    my $more = section($block, 'more_headers') // '';
    my $head = sub { ref $more ? $more->[$_[0]] // bail_out("$name - more_headers lacks $_[0]") : $more };
    if (my $list = section($block, 'pipelined_requests')) {
        my @all = map {
            build($name, [$list->[$_]], $head->($_), $_ == $#$list ? 'close' : 'keep-alive')->[0]{value}
        } 0 .. $#$list;
        return [{value => join '', @all}];
    }
    my $request = section($block, 'request') // bail_out("$name - no request");
    $request =~ s/\A(?:\s*#[^\n]*\n|\s+)*// if !ref $request;
    my @list = ref $request ? @$request : $request;
    return map { build($name, ref $list[$_] ? $list[$_] : [$list[$_]], $head->($_), 'close') } 0 .. $#list;
}

sub build {
    my ($name, $packets, $more, $connection) = @_;
    my @packets = map { ref $_ ? {%$_} : {value => $_} } @$packets;
    $_->{value} = expand($_->{value}, $name) for @packets;
    my ($line, $body) = split /\n/, join('', map { $_->{value} } @packets), 2;
    my ($method, $url, $version) = split ' ', $line // '';
    defined $method or bail_out("$name - a request needs a request line");
    $body //= '';

    my @fields = map { my ($k, $v) = split /:\s*/, $_, 2; [$k, $v // ''] }
        grep { !/^\s*#/ && /\S/ } split /\n+/, expand($more, $name);
    my %has     = map { lc $_->[0] => $_->[1] } @fields;
    my $chunked = ($has{'transfer-encoding'} // '') eq 'chunked';
    my $length  = $body ne '' && !$chunked && !exists $has{'content-length'};
    $body =~ s/^\s+|\s+$//g if $length;
    unshift @fields, ['Connection', $connection] if !exists $has{connection};
    unshift @fields, ['Host', $opt{name}] if !exists $has{host};
    push @fields, ['Content-Length', length $body] if $length;

    my $top = join '', map({ "$_\r\n" } "$method " . ($url // '/') . ' ' . ($version // 'HTTP/1.1'),
                           map { "$_->[0]: $_->[1]" } @fields), "\r\n";
    return [{value => $top . $body}] if @packets == 1;

    # The request line and the headers go with the packet that ends the request line.
    my $before = '';
    while (@packets && $before !~ /\n/) { $before .= (shift @packets)->{value} }
    $before =~ s/\A[^\n]*\n?//;
    return [{value => $top . $before}, @packets];
}

# send_request answers everything that came until nginx closed the connection.
sub send_request {
    my ($block, $packets, $patience) = @_;
    my $name = $block->name;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => $patience)
        or do { Test::More::fail("$name - cannot connect: $!"); return '' };
    local $SIG{PIPE} = 'IGNORE';
    my ($got, $ready, $until) = ('', IO::Select->new($s));
    for my $packet (@$packets) {
        sleep $packet->{delay_before} if $packet->{delay_before};
        my $text = $packet->{value};
        utf8::encode($text) if utf8::is_utf8($text);
        while (length $text) {
            my $n = syswrite $s, $text;
            last if !defined $n && $! != EINTR;
            substr($text, 0, $n // 0) = '';
        }
    }
    if (defined(my $how = section($block, 'shutdown'))) { shutdown $s, $how =~ /(\d)/ ? $1 : 1 }
    for ($until = time + $patience; ; ) {
        if (!$ready->can_read($until > time ? $until - time : 0)) {
            next if $! == EINTR && time < $until;
            Test::More::fail("$name - nothing more came for $patience s, and the connection is open")
                if !defined section($block, 'abort');
            last;
        }
        my $n = sysread $s, my $bytes, 65536;
        last if !$n && (defined $n || $! != EINTR);
        $got .= $bytes // '';
        $until = time + $patience;
    }
    return $got;
}

# parse cuts one response off the front of the bytes: {code, head, fields, body}, and what is left.
sub parse {
    my ($name, $bytes, $is_head) = @_;
    my %res = (head => '', body => '', fields => {});
    return (\%res, '') if $bytes !~ s/\A(.*?\r\n)\r\n//s;
    $res{head} = $1;
    my ($status, @lines) = split /\r\n/, $res{head};
    ($res{code}) = $status =~ m{^HTTP/[\d.]+ (\d+)};
    for (@lines) {
        my ($k, $v) = split /:\s*/, $_, 2;
        push @{$res{fields}{lc $k}}, $v // '';
    }
    return (\%res, $bytes) if $is_head || ($res{code} // 0) =~ /^(?:1\d\d|204|304)$/;
    my $length = ($res{fields}{'content-length'} || [])->[0];
    if ((($res{fields}{'transfer-encoding'} || [])->[0] // '') eq 'chunked') {
        while (1) {
            $bytes =~ s/\A[ \t]*([0-9A-Fa-f]+)[^\r\n]*\r\n//
                or do { Test::More::fail("$name - broken chunks"); last };
            my $size = hex $1;
            last if !$size && $bytes =~ s/\A(?:[^\r\n]+\r\n)*\r\n//;
            $res{body} .= substr $bytes, 0, $size, '';
            $bytes =~ s/\A\r\n// or do { Test::More::fail("$name - broken chunks"); last };
        }
    } elsif (defined $length) {
        Test::More::diag("$name - body cut short") if length $bytes < $length;
        $res{body} = substr $bytes, 0, $length, '';
    } else {
        ($res{body}, $bytes) = ($bytes, '');
    }
    return (\%res, $bytes);
}

sub ask {
    my ($block, $again) = @_;
    my $name      = $block->name;
    my $patience  = seconds(section($block, 'timeout')) // $opt{timeout};
    my @requests  = requests($block);
    my $pipelined = @{section($block, 'pipelined_requests') || []};
    my $many      = @requests > 1 || $pipelined;
    my $index     = 0;
    # The log is judged after each answer: `error_log` must come with every one.
    for my $request (@requests) {
        my $bytes   = send_request($block, $request, $patience);
        my $is_head = $request->[0]{value} =~ /^\s*HEAD\s/;
        for my $one (1 .. $pipelined || 1) {
            my $res;
            if (!defined section($block, 'ignore_response')) {
                ($res, $bytes) = parse($name, $bytes, $is_head);
                check_response($block, $res, $index, $many);
            }
            sleep section($block, 'wait') if section($block, 'wait');
            check_error_log($block, $again);
            $index++;
        }
    }
}
sub seconds {
    my $t = shift;
    return !defined $t ? undef : $t =~ /^\s*([\d.]+)\s*ms/ ? $1 / 1000 : $t =~ /([\d.]+)/ ? $1 : undef;
}

# --- checking -------------------------------------------------------------------------------------

# With several requests a section is a list, one entry for each.
sub entry {
    my ($block, $section, $index, $many) = @_;
    my $value = section($block, $section);
    return ref $value eq 'ARRAY' ? $value->[$index] : $value if !$many || !defined $value;
    bail_out($block->name . " - several requests: $section must be a list") if ref $value ne 'ARRAY';
    return $value->[$index];
}
sub ports { my $text = shift; $text =~ s/\$ServerPort(?:ForClient)?\b/$port/g if !ref $text; $text }

sub check_response {
    my ($block, $res, $index, $many) = @_;
    my $name  = $block->name;
    my $value = sub { entry($block, $_[0], $index, $many) };
    my $code  = $res->{code} // '';
    if (defined(my $like = $value->('error_code_like'))) {
        Test::More::like($code, qr/$like/sm, "$name - status");
    } else {
        my $wanted = $value->('error_code') // 200;
        $wanted =~ s/\s+//g;
        Test::More::is($code, $wanted, "$name - status");
    }
    if (defined(my $like = $value->('raw_response_headers_like'))) {
        Test::More::like($res->{head}, qr/$like/s, "$name - raw headers like");
    }
    if (defined(my $unlike = $value->('raw_response_headers_unlike'))) {
        Test::More::unlike($res->{head}, qr/$unlike/s, "$name - raw headers unlike");
    }
    for my $section (qw(response_headers response_headers_like)) {
        my $wanted = $value->($section) // next;
        for (grep { /\S/ } split /\n/, $wanted) {
            s/^\s+|\s+$//g;
            if ($section eq 'response_headers' && s/^!\s*//) {
                Test::More::unlike($res->{head}, qr/^\s*\Q$_\E\s*:/mi, "$name - no header $_");
                next;
            }
            my ($key, $text) = split /\s*:\s*/, $_, 2;
            my $got = join ', ', @{$res->{fields}{lc $key} || []};
            $text = expand(ports($text // ''), $name);
            if ($section eq 'response_headers') {
                Test::More::is($got, $text, "$name - header $key");
            } else {
                Test::More::like($got, qr/^$text$/, "$name - header $key like");
            }
        }
        last;
    }
    if (defined(my $body = $value->('response_body'))) {
        $body = expand(ports($body), $name);
        if (ref $body) { Test::More::like($res->{body}, $body, "$name - body like") }
        else           { Test::More::is($res->{body}, $body, "$name - body") }
    } elsif (defined(my $like = $value->('response_body_like'))) {
        $like = ports($like);
        Test::More::like($res->{body}, qr/$like/s, "$name - body like");
    } elsif (defined(my $unlike = $value->('response_body_unlike'))) {
        $unlike = ports($unlike);
        Test::More::unlike($res->{body}, qr/$unlike/s, "$name - body unlike");
    }
}

# The records since the last time that the log was judged.
sub log_lines {
    my $log = slurp("$root/logs/error.log");
    $log_read = length $log;
    return split /^/, substr $log, $log_from;
}
sub matches { my ($line, $pattern) = @_; ref $pattern ? $line =~ $pattern : index($line, $pattern) >= 0 }
sub patterns {
    my $value = section(@_) // return;
    return ref $value eq 'ARRAY' ? grep { defined } @$value
         : ref $value ? $value : grep { /\S/ } split /\n+/, $value;
}

sub check_error_log {
    my ($block, $again) = @_;
    my $name = $block->name;
    my @open = patterns($block, 'error_log');
    log_lines();
    for (my $until = time + 1; @open; ) {
        my @lines = log_lines();
        my @found = grep { my $p = $_; grep { matches($_, $p) } @lines } @open;
        Test::More::pass("$name - the error log has \"$_\"") for @found;
        @open = grep { my $p = $_; !grep { $_ eq $p } @found } @open;
        last if !@open || time > $until;
        sleep 0.02;
    }
    Test::More::fail("$name - the error log lacks \"$_\"") for @open;
    if (@open) { Test::More::diag(grep { !/\[debug\]/ } log_lines()) }

    for my $pattern (patterns($block, 'no_error_log')) {
        my ($line) = grep { matches($_, $pattern) } log_lines();
        Test::More::ok(!defined $line, "$name - the error log lacks \"$pattern\"")
            or Test::More::diag($line);
    }

    my $grep = section($block, 'grep_error_log');
    if (defined $grep) {
        my $out = expand(section($block, 'grep_error_log_out'), $name)
            // bail_out("$name - grep_error_log without grep_error_log_out");
        ($grep, $out) = map { ref $_ eq 'ARRAY' ? $_->[$again] : $_ } $grep, $out;
        chomp $grep if !ref $grep;
        my $pattern = ref $grep ? $grep : qr/\Q$grep\E/;
        my $got;
        for (my $until = time + 1; ; sleep 0.02) {
            $got = join '', map { /$pattern/ ? "$&\n" : () } log_lines();
            last if time > $until || (ref $out ? $got =~ $out : $got eq $out);
        }
        if (ref $out) { Test::More::like($got, $out, "$name - grep_error_log_out") }
        else          { Test::More::is($got, $out, "$name - grep_error_log_out") }
    }
    $log_from = $log_read if !$opt{whole_log};
}

sub no_alarm {
    my $block  = shift;
    my @wanted = patterns($block, 'error_log');
    for my $line (split /^/, slurp("$root/logs/error.log")) {
        next if $line !~ /\[(alert|crit|emerg)\]/;
        my $level = $1;
        next if grep { index($_, "[$level") >= 0 || matches($line, $_) } @wanted;
        Test::More::fail($block->name . " - the error log has: $line");
    }
}

1;
