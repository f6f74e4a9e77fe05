# Short, plain, second person. No exclamation marks, no "please", no blame.

demo-tag = Demo
cancel = Cancel
sign-out = Sign out
back-to = Back to { $name }
back-to-application = Back to the application
error-too-many = Too many tries. Try again in { $wait }.

## Sign-in

sign-in-title = Sign in
sign-in-client = to continue to { $client }
sign-in-button = Sign in
method-admin_token = Use a token by e-mail instead
method-password = Use a password instead
method-external = Use another sign-in page instead
method-other = Use another way

address-label = E-mail address
address-help = An admin token will be sent there. You type it on the next page.
address-help-static = You type your admin token on the next page.
address-button = Send the token
address-button-static = Continue
address-error-invalid = That is not an e-mail address. It looks like name@example.com.
address-error-too-many = Too many tokens were asked for. Try again in { $wait }.

token-title = Type your token
token-sent = An admin token is on its way to { $address }, if that address may sign in here.
token-given = Type the admin token you were given.
token-lives = It lives { $span }.
token-left = It has { $left }.
token-label = Admin token
token-help = It looks like ABCD-EFGH. Lower case, spaces or no dash are fine.
token-button = Sign in
token-error-wrong = That token is not right.
token-tries =
    { $n ->
        [0] It cannot be tried again. Send a new token below.
        [1] One try left.
        [2] Two tries left.
        [3] Three tries left.
        [4] Four tries left.
        [5] Five tries left.
       *[other] { $n } tries left.
    }
token-error-gone = That token has expired or was already used. Send a new token below.
token-again = Send a new token
token-again-wait = A new one can be sent in { $wait }.
token-resent = A new token was sent. The one before it no longer works.
token-other-address = Use another address

ask-password-username = Name or e-mail address
ask-password-password = Password
ask-password-wrong = The name or the password is not right.
ask-wrong = That is not right.

select-title = Choose an account
select-continue = Continue with this account
select-other = Use another account

## Consent

consent-heading = { $client } asks for access
consent-person = Signed in as
consent-not-you = Not you?
consent-scopes = It will be able to
consent-more = Newly asked: it will also be able to
consent-known = You already allowed it to
consent-period = For how long
consent-once = { $span }. After that it has to ask again.
consent-up-to = Up to { $span }, or until you withdraw it.
consent-until-withdrawn = Until you withdraw it.
consent-next = What happens next
consent-return = You go back to
consent-allow = Allow
consent-deny = Deny
consent-withdraw = You can withdraw this at any time on your account page.
consent-policy = Privacy policy
consent-terms = Terms of service

scope-openid = Know who you are when you sign in
scope-profile = See your name and user name
scope-email = See your e-mail address
scope-offline_access = Keep its access while you are away
scope-read = Read your data
scope-write = Change your data

## Devices

device-title = Connect a device
device-text = Type the code that your device shows.
device-label = Code
device-help = It looks like WDJB-MJHT. Lower case, spaces or no dash are fine.
device-button = Continue
device-wrong = No device waits for this code. Check it on the device. If it is the same there, start again on the device for a new one.
device-heading = { $client } on a device asks for access
device-compare = Your device has to show this code:
device-warning = Allow this only for a device that is in front of you. If somebody sent you the code or this link, deny it.
device-allowed-title = Your device is connected
device-allowed-text = You can go back to your device. { $client } goes on there in a moment.
device-denied-title = Access was denied
device-denied-text = { $client } got nothing. You can go back to your device and close this page.

## Account

account-title = Your account
account-username = User name:
account-sessions = Where you are signed in
account-sessions-help = If you do not know one of these, end it.
account-current = This browser
account-started = Signed in:
account-seen = last seen:
account-end = End
account-end-named = End the session of { $browser } at { $address }
account-end-others = Sign out everywhere else
account-applications = Applications with access
account-applications-help = An application without access has to ask you again.
account-applications-none = No application has access to your account.
account-since = Allowed:
account-withdraw = Withdraw
account-withdraw-named = Withdraw the access of { $client }
account-done-session_ended = That is done. Those sessions are signed out.
account-done-consent_withdrawn = That is done. The application no longer has access.
browser-on = { $name } on { $system }
browser-unknown = Unknown browser

confirm-end_session-title = End this session?
confirm-end_session-text = { $browser } at { $address } is signed out at once. Applications keep the access you gave them.
confirm-end_session-button = End the session
confirm-end_other_sessions-title = Sign out everywhere else?
confirm-end_other_sessions-text =
    { $n ->
        [one] One other session is signed out at once.
       *[other] { $n } other sessions are signed out at once.
    } This browser stays signed in. Applications keep the access you gave them.
confirm-end_other_sessions-button = Sign out the others
confirm-withdraw_consent-title = Withdraw access?
confirm-withdraw_consent-text = { $client } loses its access to your account at once: it can no longer sign you in or use your data until you allow it again.
confirm-withdraw_consent-button = Withdraw access

logout-title = Sign out?
logout-asked = { $client } asks you to sign out.
logout-text = You will be signed out in this browser.
logout-stay = Stay signed in
signed-out-title = You are signed out
signed-out-text = You can close this page. On a shared computer, close the browser as well.

## Connecting accounts at providers

connect-provider = the provider
connect-title = Connect { $provider }
connect-again-title = Connect { $provider } again
connect-for-service = { $service } asks to use an account of yours.
connect-for-nobody = Somebody asks to use an account of yours.
connect-service = Who asks
connect-subject = It will be connected for
connect-warning = Go on only if you know who this is: they can then use the account in the way that you allow.
connect-again-text = This account needs your consent again. Sign in with the same one.
connect-asks = { $provider } will ask you to allow
connect-choose = You sign in at { $provider }, not here. What you do not want to allow, you can refuse there.
connect-go = Continue to { $provider }
connect-confirm-title = Connect this account?
connect-confirm-text = You signed in at { $provider } with this account. It is not connected yet.
connect-confirm-yes = Connect it
connect-confirm-no = Do not connect
connect-granted = You allowed
connect-refused = You did not allow
connect-refused-help = What needs it will not work. You can allow it later by connecting the account again.
connect-result-title = Your account is connected
connect-short = { $provider } gave an access that cannot be renewed. It ends in { $span }; connect the account again then.
connect-close = You can close this page.

connect-end-retry = Try again
connect-end-given = You signed in as
connect-end-expected = Connected is
connect-end-missing = What was not allowed
connect-end-said = What { $provider } said
connect-end-link-gone-title = This link no longer works
connect-end-link-gone-what = It has expired, or was not copied as a whole. Links live for an hour.
connect-end-link-gone-next = Ask for a new one where you got this one.
connect-end-link-used-title = This link was used
connect-end-link-used-what = An account was connected with it, or it was declined. Each link is good for one account.
connect-end-link-used-next = If you want to connect another one, ask for a new link.
connect-end-state-gone-title = This page is out of date
connect-end-state-gone-what = It was loaded a second time, or you began again in another tab. Nothing was changed.
connect-end-state-gone-next = Go on in the newest tab, or open the link once more.
connect-end-already-done-title = The account is connected
connect-end-already-done-what = This page was loaded a second time. The first time did all there was to do.
connect-end-already-done-next = You can close it.
connect-end-other-browser-title = Another browser began this
connect-end-other-browser-what = Sign-in at { $provider } began in another browser, or cookies are not allowed here. Nothing was connected.
connect-end-other-browser-next = Open the link in this browser and begin again. If somebody sent you this address, close the page.
connect-end-other-person-title = This link is for somebody else
connect-end-other-person-what = You are signed in here, but not as the person whose account is to be connected. Nothing was connected.
connect-end-other-person-next = If it is your link, sign in as the right person and open it again. If somebody sent it to you, close the page.
connect-end-connection-gone-title = This connection is no longer there
connect-end-connection-gone-what = The account was disconnected in the meantime, so it cannot be connected again with this link.
connect-end-connection-gone-next = Connect it anew, or ask for a new link.
connect-end-not-offered-title = This cannot be connected here
connect-end-not-offered-what = The people who run this server do not offer it, or no longer do.
connect-end-not-offered-next = Ask them, or those who sent you the link.
connect-end-denied-title = Nothing was connected
connect-end-denied-what = You said no, so nobody got access to your account.
connect-end-denied-next = That is fine. If you change your mind, try again.
connect-end-denied-over = That is fine. If you change your mind, ask for a new link.
connect-end-provider-title = { $provider } refused
connect-end-provider-what = { $provider } did not let you go on. Nothing was connected.
connect-end-provider-next = Try again. If it happens again, tell the people who run this server what is written below.
connect-end-code-refused-title = That took too long
connect-end-code-refused-what = { $provider } no longer accepts this sign-in: it is too old, or was used before. Nothing was connected.
connect-end-code-refused-next = Try again.
connect-end-misconfigured-title = { $provider } does not know this server
connect-end-misconfigured-what = { $provider } refuses this server, so nothing was connected. You did nothing wrong.
connect-end-misconfigured-next = Tell the people who run this server: its client id or secret at { $provider } is not right.
connect-end-away-title = { $provider } does not answer
connect-end-away-what = { $provider } could not finish your sign-in. Nothing was connected.
connect-end-away-next = Try again in a minute.
connect-end-untrusted-title = This answer cannot be trusted
connect-end-untrusted-what = What came back is not what { $provider } sends to this server. Nothing was connected.
connect-end-untrusted-next = Try again. If it happens again, tell the people who run this server.
connect-end-other-account-title = That is another account
connect-end-other-account-what = You signed in at { $provider } with another account than the one that is connected. Nothing was changed.
connect-end-other-account-next = Try again with the connected account. To use the other one, connect it as a new one.
connect-end-scopes-missing-title = Something needed was not allowed
connect-end-scopes-missing-what = Without it the connection is of no use, so nothing was connected.
connect-end-scopes-missing-next = Try again and leave it ticked, if you want to connect the account.

connections-title = Connections
connections-help = Accounts of yours elsewhere that { $operator } keeps access to, for the services that need it.
connections-none = You have not connected an account.
connections-active = Works
connections-trouble = Has trouble
connections-broken = Has to be connected again
connections-leaving = Is being disconnected
connections-why-trouble = { $provider } has not renewed the access for a while. It is tried again by itself.
connections-why-grant-dead = { $provider } says that the access is over: it was withdrawn there, or has expired.
connections-why-sign-in-again = { $provider } wants you to sign in again.
connections-why-expired = The access has reached the age at which { $provider } ends it.
connections-why-no-refresh-token = { $provider } gave an access that could not be renewed, and it has ended.
connections-why-lost = An answer of { $provider } was lost, and with it the access.
connections-why-operator = The people who run this server ask you to connect it again.
connections-why-disconnecting = No service gets access any more. { $provider } has not confirmed it yet; that is tried for a day.
connections-scopes = What you allowed
connections-since = Connected:
connections-used = last used:
connections-unused = not used yet
connections-again = Reconnect
connections-again-named = Connect { $account } at { $provider } again
connections-disconnect = Disconnect
connections-disconnect-named = Disconnect { $account } at { $provider }
connections-more = Connect an account
connections-connect = Connect
connections-connect-more = Connect another
connections-connect-named = Connect an account at { $provider }
connections-done-disconnected = That is done. The account is disconnected.
connections-done-disconnecting = The account is disconnected here. Its provider could not be told yet; that is tried again by itself.
account-connections = Accounts of yours elsewhere that services here may use.
account-connections-open = Show
confirm-disconnect-title = Disconnect this account?
confirm-disconnect-text = Services here lose their access to { $account } at { $provider } at once: what they do with it stops working. The access is withdrawn at { $provider }, too, unless another connection shares it.
confirm-disconnect-button = Disconnect

provider-scope-openid = Know which account it is
provider-scope-email = See the e-mail address
provider-scope-profile = See the name and picture
provider-scope-offline-access = Keep the access while you are away
provider-scope-google-userinfo-email = See the e-mail address
provider-scope-google-userinfo-profile = See the name and picture
provider-scope-google-calendar = See, change and delete all calendars
provider-scope-google-calendar-readonly = See all calendars
provider-scope-google-calendar-events = See and change events in all calendars
provider-scope-google-contacts = See, change and delete contacts
provider-scope-google-contacts-readonly = See contacts
provider-scope-google-drive = See, change and delete all files in Drive
provider-scope-google-drive-file = See and change the files in Drive that you open with it
provider-scope-google-drive-readonly = See all files in Drive
provider-scope-google-gmail-modify = Read, write and send e-mail
provider-scope-google-gmail-readonly = Read e-mail
provider-scope-google-gmail-send = Send e-mail
provider-scope-google-spreadsheets = See, change and delete all spreadsheets
provider-scope-google-spreadsheets-readonly = See all spreadsheets
provider-scope-google-tasks = See, change and delete tasks
provider-scope-google-tasks-readonly = See tasks
provider-scope-repo = See and change all repositories, private ones too
provider-scope-read-user = See the profile
provider-scope-user-email = See the e-mail addresses
provider-scope-gist = Write gists
provider-scope-read-org = See the organisations
provider-scope-workflow = Change workflows
provider-scope-user-read = See the profile
provider-scope-mail-read = Read e-mail
provider-scope-mail-send = Send e-mail
provider-scope-calendars-read = See calendars
provider-scope-calendars-readwrite = See and change calendars
provider-scope-files-read = See files
provider-scope-chat-write = Write messages
provider-scope-channels-read = See the public channels
provider-scope-users-read = See the people in the workspace

## Dead ends

error-for-developers = For the application's developer
error-request-id = If you ask for help, quote
error-wait = Try again in { $wait }.
error-invalid-client-title = This application is not known
error-invalid-client-what = The application that sent you is not registered here, so nothing was shared with it.
error-invalid-client-next = Go back to it, and tell the people who run it.
error-redirect-uri-title = You cannot be sent back safely
error-redirect-uri-what = The application asked to send you to an address that it has not registered here, so nothing was shared with it.
error-redirect-uri-next = Go back to it, and tell the people who run it.
error-bad-request-title = This request is not right
error-bad-request-what = Something in the link or form that brought you here is missing or not valid.
error-bad-request-next = Start again from the application. If it happens again, tell the people who run it.
error-spent-title = This link no longer works
error-spent-what = This link was already used, or it has expired.
error-spent-next = Start again from the application.
error-csrf-title = This form no longer works
error-csrf-what = This form is from another tab or has expired. Nothing was changed.
error-csrf-next = Go back, reload the page and try again. Cookies have to be allowed for this site.
error-refused-title = You cannot sign in here
error-refused-what = This account may not be used here.
error-refused-next = If you think it should be, ask the people who run this server.
error-no-account-title = There is no account for you here
error-no-account-what = You are known on the sign-in page, but there is no account for you on this server.
error-no-account-next = Ask the people who run this server for one.
error-sign-in-refused-title = You were not signed in
error-sign-in-refused-what = The sign-in page said no.
error-sign-in-refused-next = Start again from the application, or ask the people who run this server.
error-not-found-title = There is nothing here
error-not-found-what = This address does not lead to a page.
error-not-found-next = Check the address, or start again from the application.
error-too-many-requests-title = Too many requests
error-too-many-requests-what = There were more requests from your network than are allowed in a short time.
error-too-many-requests-next = Wait a minute, then try again.
error-internal-title = Something went wrong here
error-internal-what = This server could not finish your request. You did nothing wrong.
error-internal-next = Try again. If it happens again, tell the people who run this server.
error-unavailable-title = Not available right now
error-unavailable-what = This server cannot answer at the moment. Nothing was lost.
error-unavailable-next = Try again in a minute.

## Demo, hand-over, home

mailbox-title = Mailbox
mailbox-text = In the demo, mails are kept here and not sent. The newest is first.
mailbox-hint = In the demo the mail is not sent.
mailbox-open = Open the mailbox
mailbox-refresh = Refresh
mailbox-back = Back to sign-in
mailbox-to = To
mailbox-empty = No mail yet. Ask for a token on the sign-in page, then refresh.
form-post-title = Going back to { $client }
form-post-text = If nothing happens, use the button.
form-post-button = Continue
callback-title = The answer
callback-text = In the demo, applications under development can send their answers here.
callback-answer = What came back
callback-error = What was refused
callback-redeem = Redeem the code
callback-redeem-help = A code works once and for a minute. If the request had a code_challenge, add -d code_verifier= with the text behind it.
callback-fragment = Behind the #
callback-fragment-help = Browsers keep this part to themselves; no server sees it.
callback-nothing = Nothing came back. Make this address the redirect_uri of an authorization request.
callback-noscript = Scripts are switched off, so what stands behind the # of this address cannot be shown.
home-title = Sign-in server
home-text = { $operator } signs people in and lets applications act for them, with their consent.
home-account = Your account
home-device = Connect a device
home-sample = Try the sample application
home-issuer = Issuer
home-discovery = Discovery document

## Mail

mail-title = Your admin token
mail-subject = Your admin token for { $operator }
mail-subject-application = Your admin token to continue to { $application }
mail-intro = Type this token to sign in to { $operator }:
mail-intro-application = Type this token to sign in and continue to { $application }:
mail-use =
    { $n ->
        [one] It lives 1 minute and works once, in the browser that asked for it.
       *[other] It lives { $n } minutes and works once, in the browser that asked for it.
    }
mail-asked = Asked for at { $time } from { $address }.
mail-not-you = If that was not you, do nothing: without the token nobody gets in. Give it to nobody.

## Times

span-seconds =
    { $n ->
        [one] 1 second
       *[other] { $n } seconds
    }
span-minutes =
    { $n ->
        [one] 1 minute
       *[other] { $n } minutes
    }
span-hours =
    { $n ->
        [one] 1 hour
       *[other] { $n } hours
    }
span-days =
    { $n ->
        [one] 1 day
       *[other] { $n } days
    }
left-seconds = { $n } sec left
left-minutes = { $n } min left
left-hours =
    { $n ->
        [one] 1 hour left
       *[other] { $n } hours left
    }
left-days =
    { $n ->
        [one] 1 day left
       *[other] { $n } days left
    }
ago-now = just now
ago-minutes =
    { $n ->
        [one] 1 minute ago
       *[other] { $n } minutes ago
    }
ago-hours =
    { $n ->
        [one] 1 hour ago
       *[other] { $n } hours ago
    }
ago-days =
    { $n ->
        [one] 1 day ago
       *[other] { $n } days ago
    }
date =
    { $day } { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    } { $year }

# The reference of the API
docs-title = API reference
docs-version = version { $version }
docs-contents = Contents
docs-authentication = Authentication
docs-nobody = None.
docs-required = required
docs-examples = Examples
docs-answers = Answers
docs-errors = Errors
docs-redirected = Errors at the redirect URI
docs-status = Status
docs-page = a page
docs-pages = Pages
docs-pages-text = These are for people at a browser. Programs have no use for them.
