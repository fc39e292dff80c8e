//! What an operator may do from outside: end the sessions of an account, or of everybody, that began up to a moment.

use url::form_urlencoded;

use super::account::{Chosen, everybody};
use super::log::{self, Event};
use super::{Incoming, sign_out, token_cache};
use crate::answer::Answer;
use crate::error::{Error, OperatorFault};
use crate::json::{Json, members_and_nulls, named};
use crate::oidc::client_info::ClientInfo;
use crate::oidc::issuer::IssuerRule;
use crate::realm::Realm;
use crate::request::Method;
use crate::runtime::Runtime;
use crate::session::account::{ACCOUNT_PREFIX, AccountDigest};
use crate::session::storage_key::EntryKey;
use crate::time::Timestamp;

/// Whose sessions end.
enum Whose {
    Account(AccountDigest),
    /// What is stored is gone through page by page, from a key on.
    Everybody {
        from: Option<String>,
    },
}

/// `/.auth/operator/sign-out`: a form with the key of the operator as its bearer token (RFC 6750 §2.1).
pub(super) async fn requested<R: Runtime>(incoming: &Incoming<'_, R>, inbound: &R::Inbound) -> Result<Answer, Error> {
    let Some(operator) = &incoming.app.config.operator else { return Err(Error::NoSuchRoute) };
    let credential = incoming.head.header("authorization").and_then(|value| value.split_once(' '));
    let credential = credential.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if !credential.is_some_and(|(_, credential)| operator.is_named_by(credential)) {
        return Err(Error::OperatorRefused);
    }
    incoming.only(&[Method::Post], "POST")?;
    let form = incoming.form(inbound).await.ok_or(Error::OperatorRequestInvalid(OperatorFault::NoForm))?;
    let realm = realm(incoming, &form).map_err(Error::OperatorRequestInvalid)?;
    let incoming = &incoming.within(realm);
    let (whose, until) = read(incoming, &form).map_err(Error::OperatorRequestInvalid)?;
    let cursor = match whose {
        Whose::Account(account) => {
            sign_out::by_operator(incoming, account, until).await?;
            None
        }
        Whose::Everybody { from } => end_everybody(incoming, until, from).await?,
    };
    log::happened(incoming, Event::SessionsEndedByOperator, None, named("until", until.to_json()));
    Ok(Answer::json(200, &members_and_nulls([("ended_until", until.to_json()), ("cursor", cursor.into())])))
}

/// The realm of the account: that of the one `provider`, which must be named where there are several and an account is.
/// Everybody is everybody, of whichever provider.
fn realm<'a, R: Runtime>(incoming: &Incoming<'a, R>, form: &[u8]) -> Result<&'a Realm, OperatorFault> {
    let values = |wanted: &'static str| form_urlencoded::parse(form).filter(move |(name, _)| name == wanted);
    let mut named = values("provider").map(|(_, value)| incoming.app.realm(&value).ok_or(OperatorFault::Provider));
    let is_everybody = values("everybody").next().is_some();
    let is_needed = incoming.app.has_several_realms() && !is_everybody;
    match (named.next(), named.next()) {
        (Some(_), None) if is_everybody => Err(OperatorFault::Provider),
        (Some(realm), None) => realm,
        (None, _) if is_needed => Err(OperatorFault::Provider),
        (None, _) => Ok(incoming.app.first()),
        (Some(_), Some(_)) => Err(OperatorFault::Duplicate),
    }
}

/// Exactly one of `sub` (`account` at the Microsoft identity platform, as `uid.utid`) and `everybody`; and until when, in
/// seconds since the epoch.
fn read<R: Runtime>(incoming: &Incoming<'_, R>, form: &[u8]) -> Result<(Whose, Timestamp), OperatorFault> {
    let (mut whose, mut until, mut cursor) = (None, None, None);
    for (name, value) in form_urlencoded::parse(form) {
        let is_first = match name.as_ref() {
            "sub" | "account" => whose.replace(Whose::Account(account(incoming, &name, &value)?)).is_none(),
            "everybody" if value == "true" => whose.replace(Whose::Everybody { from: None }).is_none(),
            "before" => until.replace(moment(incoming, &value)?).is_none(),
            "cursor" => cursor.replace(place(incoming, &value)?).is_none(),
            // It was looked at before.
            "provider" => true,
            _ => return Err(OperatorFault::Unknown),
        };
        if !is_first {
            return Err(OperatorFault::Duplicate);
        }
    }
    match (whose.ok_or(OperatorFault::Missing)?, cursor) {
        (Whose::Everybody { .. }, Some((until, from))) => Ok((Whose::Everybody { from: Some(from) }, until)),
        (whose, None) => Ok((whose, until.unwrap_or(incoming.now))),
        (Whose::Account(_), Some(_)) => Err(OperatorFault::Unknown),
    }
}

fn account<R: Runtime>(incoming: &Incoming<'_, R>, name: &str, value: &str) -> Result<AccountDigest, OperatorFault> {
    let provider = &incoming.realm.provider;
    if (name == "account") != provider.is_entra || value.is_empty() {
        return Err(OperatorFault::Account);
    }
    match (&provider.issuer, value.split_once('.')) {
        (IssuerRule::Exact(issuer), _) if !provider.is_entra => Ok(AccountDigest::from_subject(issuer, value)),
        (_, Some((uid, utid))) => {
            Ok(AccountDigest::from_client_info(&ClientInfo { uid: uid.to_owned(), utid: utid.to_owned() }))
        }
        (IssuerRule::Exact(_) | IssuerRule::Learned(_) | IssuerRule::Tenanted(_), None) => Err(OperatorFault::Account),
    }
}

/// A moment of the future would end sessions that nobody has begun yet.
fn moment<R: Runtime>(incoming: &Incoming<'_, R>, value: &str) -> Result<Timestamp, OperatorFault> {
    let moment = value.parse().map(Timestamp::from_unix).map_err(|_| OperatorFault::Moment)?;
    if moment > incoming.now { Err(OperatorFault::Moment) } else { Ok(moment) }
}

/// A cursor of ours: the moment, which is the same for every page whenever it is asked for, and the key.
fn place<R: Runtime>(incoming: &Incoming<'_, R>, cursor: &str) -> Result<(Timestamp, String), OperatorFault> {
    let (until, from) = cursor.split_once('/').ok_or(OperatorFault::Unknown)?;
    Ok((moment(incoming, until)?, from.to_owned()))
}

/// The comparison ends them all at once; what is kept of them goes page by page. Returns where the next page begins.
async fn end_everybody<R: Runtime>(
    incoming: &Incoming<'_, R>,
    until: Timestamp,
    from: Option<String>,
) -> Result<Option<String>, Error> {
    if from.is_none() {
        everybody::end_all(incoming, until).await?;
    }
    if !token_cache::has_store(incoming) {
        // The objects cannot be listed. What they keep goes with the end of each session.
        return Ok(None);
    }
    let page = incoming.runtime.kv_list(ACCOUNT_PREFIX, from.as_deref()).await.map_err(Error::CacheUnavailable)?;
    let keys = page.listings.iter().filter_map(|listing| EntryKey::parse(&listing.key));
    let mut prefixes: Vec<_> = keys.map(|key| key.prefix().to_owned()).collect();
    prefixes.dedup();
    for prefix in prefixes {
        // Those that began since, even within the same second, go on.
        sign_out::under(incoming, prefix, Chosen::Until(until)).await?;
    }
    Ok(page.cursor.map(|from| format!("{}/{from}", until.as_unix())))
}
