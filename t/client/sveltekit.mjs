// The functions that a SvelteKit page gets from @auth/sveltekit.
import { signIn, signOut } from "@auth/sveltekit/client";

window.auth = { signIn, signOut };
