//! What people read about errors: a title and an advice for each code.

/// The fixed title of each code.
#[must_use]
pub fn title(code: &str) -> &'static str {
    TEXTS.iter().find(|(known, _, _)| *known == code).map_or("Something went wrong", |(_, title, _)| title)
}

/// What a person can do about an error of that code.
pub(super) fn advice(code: &str) -> &'static str {
    TEXTS.iter().find(|(known, _, _)| *known == code).map_or("Please try again.", |(_, _, advice)| advice)
}

/// Code, title, and what a person can do.
const TEXTS: &[(&str, &str, &str)] = &[
    (
        "access_denied",
        "Sign-in was declined",
        "You cancelled the sign-in, or did not agree to what the application asks for. You can start again.",
    ),
    ("access_token_invalid", "The access token cannot be used", "It is not valid here, or not any more."),
    ("access_token_malformed", "There is no access token", "The request names one and has none."),
    ("access_token_required", "An access token is required", "This address is for programs that bring one."),
    (
        "account_mismatch",
        "This is another account",
        "You came back with another account than the one that you are signed in with, so nothing was changed. \
         You can start again and choose the account.",
    ),
    (
        "admin_consent_required",
        "An administrator has to allow this application",
        "Your organization lets nobody use this application until one of its administrators has agreed to what it asks \
         for. Ask them, with the reference below, or use an account of another organization.",
    ),
    (
        "api_unreachable",
        "The service cannot be reached",
        "A service behind this application did not answer. Please try again in a moment.",
    ),
    ("bad_request", "This address cannot be used", "The address of this request is malformed."),
    (
        "cache_unavailable",
        "Temporarily unavailable",
        "The session store did not answer. Please try again in a moment; if you were signing out, it is not done yet.",
    ),
    (
        "consent_required",
        "Consent is missing",
        "The sign-in service wants you or an administrator to allow the program to use this service first.",
    ),
    ("csrf_rejected", "This request was blocked", "The request did not come from a page of this application."),
    (
        "end_user_required",
        "This is for programs that act for somebody",
        "The access token stands for a program alone, and the service behind this address needs a person's.",
    ),
    (
        "forbidden",
        "You have no access to this",
        "You are signed in, but your account may not use this part of the application.",
    ),
    (
        "insufficient_claims",
        "Another sign-in is needed",
        "A service behind this address demands a stronger or a more recent sign-in than the access token stands for.",
    ),
    ("insufficient_scope", "The access token is not enough", "It does not have the scopes that this address asks for."),
    (
        "interaction_loop",
        "This still does not work",
        "You signed in for this more than once just now, and the service still refuses. Signing in again will not help: an \
         administrator may have to allow it. You can try again in a few minutes.",
    ),
    (
        "interaction_required",
        "Another sign-in is needed",
        "A part of this application needs your consent or a new sign-in.",
    ),
    ("internal", "Something went wrong", "This is our fault. Please try again."),
    (
        "login_attempt_invalid",
        "Sign-in could not be completed",
        "The sign-in was started in another browser, was already used, or took too long. Please sign in again.",
    ),
    (
        "login_request_invalid",
        "This sign-in link is no longer valid",
        "The link was changed or is too old. Please go back to the page and try again.",
    ),
    ("login_required", "Sign-in required", "Please sign in to continue."),
    ("logout_request_invalid", "This is no sign-out", "The address is for the sign-in service, not for people."),
    (
        "logout_response_invalid",
        "Sign-out could not be confirmed",
        "The answer from the sign-in service does not belong to a sign-out that this browser started.",
    ),
    (
        "logout_token_invalid",
        "This sign-out notice cannot be used",
        "It does not come from the sign-in service, or is not valid any more. It signed nobody out.",
    ),
    ("method_not_allowed", "This action is not available", "The address exists, but not for this kind of request."),
    (
        "misconfigured",
        "This application is not set up correctly",
        "Its operator has been told what is wrong in the log.",
    ),
    (
        "not_assigned",
        "You are not assigned to this application",
        "Your organization decides who may use this application, and your account is not among them. Ask an \
         administrator to assign you, or use another account.",
    ),
    ("not_found", "Not found", "There is nothing at this address."),
    (
        "op_error",
        "Sign-in could not be completed",
        "The sign-in service gave an answer that cannot be trusted. Please try again later.",
    ),
    ("op_unreachable", "The sign-in service cannot be reached", "Please try again in a moment."),
    ("operator_refused", "Not for you", "This is for whoever operates the application."),
    ("operator_request_invalid", "This cannot be done", "The request is malformed; the log has the reason."),
    (
        "origin_unreachable",
        "The application cannot be reached",
        "The application did not answer. Please try again in a moment.",
    ),
    ("session_expired", "Your session has ended", "Please sign in again."),
    (
        "sign_in_blocked",
        "Your organization blocks this sign-in",
        "It does not let your account sign in here, or not from this device or place. Its administrators can say more, \
         with the reference below.",
    ),
    (
        "sign_in_incomplete",
        "The sign-in is not complete",
        "The sign-in service wants something else of you first, for instance another proof that it is you. Please sign in \
         again.",
    ),
    (
        "sign_in_loop",
        "Too many sign-ins",
        "You were sent to sign in too often within a short time. Please wait a few minutes and try again.",
    ),
    (
        "step_up_failed",
        "This sign-in is not enough",
        "The sign-in was not as strong or as recent as this part of the application demands. You can try again.",
    ),
    (
        "step_up_required",
        "Please sign in once more",
        "This part of the application demands a stronger or a more recent sign-in.",
    ),
    (
        "tenant_not_allowed",
        "This account cannot be used here",
        "Your sign-in worked, but this application is for accounts of other organizations. You can start again with the \
         work or school account of an organization that uses it.",
    ),
    ("upgrade_required", "This is no page", "The address is for the scripts of this application."),
    (
        "wrong_account",
        "This account cannot be used here",
        "It belongs to another organization, or is a personal one where a work or school account is needed. Please choose \
         another account, or ask an administrator to invite you.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_print_for_people_is_complete_and_sorted() {
        assert!(TEXTS.is_sorted_by_key(|(code, _, _)| *code));
    }
}
