# Rule for the library that `config` links. Our Makefile knows what is out of date, so it is always
# asked; the module is linked again only when the library changed.
case "$NGX_OBJS" in
    /*) auth_js_objs=$NGX_OBJS ;;
    *)  auth_js_objs="\$(CURDIR)/$NGX_OBJS" ;;
esac

cat << END                                                    >> $NGX_MAKEFILE

$auth_js_lib:	auth_js_always $NGX_AUTO_CONFIG_H
	+\$(MAKE) -C "$auth_js_dir" BUILD="${AUTH_JS_BUILD:-$auth_js_objs/auth_js}" \\
		NGX_ROOT="\$(CURDIR)" NGX_INCS="\$(ALL_INCS)" NGX_CC_OPT="$NGX_CC_OPT" module-library

auth_js_always:
.PHONY:	auth_js_always

END
