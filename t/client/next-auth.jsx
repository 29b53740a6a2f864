// A page as people write it for next-auth: who am I, and the client's functions for the test to call.
import { createRoot } from "react-dom/client";
import { SessionProvider, getCsrfToken, getProviders, getSession, signIn, signOut, useSession } from "next-auth/react";

window.auth = { getCsrfToken, getProviders, getSession, signIn, signOut };
window.states = [];

function Who() {
    const { data, status, update } = useSession();
    window.auth.update = update;
    if (window.states.at(-1) !== status) window.states.push(status);
    return <p id="who" data-status={status}>{data ? data.user.name : status}</p>;
}

const { base, every } = Object.fromEntries(new URLSearchParams(location.search));
createRoot(document.getElementById("root")).render(
    <SessionProvider basePath={base} refetchInterval={Number(every ?? 0)}><Who /></SessionProvider>);
