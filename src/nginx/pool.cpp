#include "nginx/pool.hpp"

#include <algorithm>
#include <string_view>

namespace authjs::nginx {
namespace {

ngx_str_t pool_name = ngx_string("auth_js");

// One posted job. Its timer only keeps a worker that exits waiting, and winds itself up again.
struct job {
    ngx_thread_task_t task{};
    ngx_event_t keep{};
    std::function<void()> work, done;

    job(std::function<void()> w, std::function<void()> d) : work(std::move(w)), done(std::move(d)) {
        task.ctx = this;
        task.handler = [](void* self, ngx_log_t* log) {
            guard(log, static_cast<job*>(self)->work);
        };
        task.event.data = this;
        task.event.log = ngx_cycle->log;
        task.event.handler = [](ngx_event_t* ev) {
            const std::unique_ptr<job> self(static_cast<job*>(ev->data));
            ngx_del_timer(&self->keep);
            guard(ngx_cycle->log, self->done);
        };
        keep.data = this;
        keep.log = ngx_cycle->log;
        keep.handler = [](ngx_event_t* ev) { ngx_add_timer(ev, 60'000); };
    }
};

}  // namespace

ngx_int_t declare_pool(ngx_conf_t* cf) {
    ngx_module_t** const end = cf->cycle->modules + cf->cycle->modules_n;
    ngx_module_t** const threads = std::find_if(cf->cycle->modules, end, [](ngx_module_t* m) {
        return std::string_view(m->name) == "ngx_thread_pool_module";
    });
    if (threads == end) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "auth_js: this nginx has no thread pools");
        return NGX_ERROR;
    }
    // Adding a pool is public, giving it its number of threads is not: the directive does both.
    ngx_command_t* cmd = (*threads)->commands;
    while (cmd->name.len && view(cmd->name) != "thread_pool") cmd++;
    ngx_str_t words[] = {cmd->name, pool_name, ngx_string("threads=4"),
                         ngx_string("max_queue=512")};
    ngx_array_t args{words, std::size(words), sizeof words[0], std::size(words), cf->pool};
    ngx_conf_t line = *cf;
    line.args = &args;
    const char* const wrong = cmd->set ? cmd->set(&line, cmd, nullptr) : nullptr;
    return wrong == NGX_CONF_OK ? NGX_OK : NGX_ERROR;
}

pool::pool(ngx_cycle_t* cycle) : threads_(ngx_thread_pool_get(cycle, &pool_name)) {}

bool pool::post(std::function<void()> work, std::function<void()> done) {
    if (!threads_) return false;
    auto posted = std::make_unique<job>(std::move(work), std::move(done));
    if (ngx_thread_task_post(threads_, &posted->task) != NGX_OK) return false;
    ngx_add_timer(&posted->keep, 60'000);
    (void)posted.release();  // the completion's
    return true;
}

}  // namespace authjs::nginx
