# Kurz, klar, in der Anrede. Keine Ausrufezeichen, kein "bitte", keine Vorwürfe.

demo-tag = Demo
cancel = Abbrechen
sign-out = Abmelden
back-to = Zurück zu { $name }
back-to-application = Zurück zur Anwendung
error-too-many = Zu viele Versuche. In { $wait } geht es wieder.

## Anmelden

sign-in-title = Anmelden
sign-in-client = und weiter zu { $client }
sign-in-button = Anmelden
method-admin_token = Stattdessen ein Token per E-Mail
method-password = Stattdessen mit Passwort
method-external = Stattdessen auf einer anderen Anmeldeseite
method-other = Auf anderem Weg

address-label = E-Mail-Adresse
address-help = Dorthin geht ein Admin-Token. Sie tippen es auf der nächsten Seite ein.
address-help-static = Ihr Admin-Token tippen Sie auf der nächsten Seite ein.
address-button = Token senden
address-button-static = Weiter
address-error-invalid = Das ist keine E-Mail-Adresse. Sie sieht aus wie name@example.com.
address-error-too-many = Es wurden zu viele Token angefordert. In { $wait } geht es wieder.

token-title = Token eintippen
token-sent = Ein Admin-Token ist unterwegs an { $address }, sofern sich diese Adresse hier anmelden darf.
token-given = Tippen Sie das Admin-Token ein, das Sie erhalten haben.
token-lives = Es gilt { $span }.
token-left = { $left }.
token-label = Admin-Token
token-help = Es sieht aus wie ABCD-EFGH. Kleinbuchstaben, Leerzeichen oder kein Strich sind auch in Ordnung.
token-button = Anmelden
token-error-wrong = Dieses Token stimmt nicht.
token-tries =
    { $n ->
        [0] Es kann nicht noch einmal versucht werden. Fordern Sie unten ein neues an.
        [1] Noch ein Versuch.
        [2] Noch zwei Versuche.
        [3] Noch drei Versuche.
        [4] Noch vier Versuche.
        [5] Noch fünf Versuche.
       *[other] Noch { $n } Versuche.
    }
token-error-gone = Dieses Token ist abgelaufen oder wurde schon benutzt. Fordern Sie unten ein neues an.
token-again = Neues Token senden
token-again-wait = Ein neues kann in { $wait } gesendet werden.
token-resent = Ein neues Token wurde gesendet. Das vorige gilt nicht mehr.
token-other-address = Andere Adresse verwenden

ask-password-username = Name oder E-Mail-Adresse
ask-password-password = Passwort
ask-password-wrong = Der Name oder das Passwort stimmt nicht.
ask-wrong = Das stimmt nicht.

select-title = Konto wählen
select-continue = Mit diesem Konto weiter
select-other = Anderes Konto verwenden

## Zustimmung

consent-heading = { $client } bittet um Zugriff
consent-person = Angemeldet als
consent-not-you = Nicht Sie?
consent-scopes = Die Anwendung darf dann
consent-more = Neu: Die Anwendung darf dann auch
consent-known = Schon erlaubt
consent-period = Wie lange
consent-once = { $span }. Danach muss sie neu fragen.
consent-up-to = Bis zu { $span }, oder bis Sie es widerrufen.
consent-until-withdrawn = Bis Sie es widerrufen.
consent-next = Wie es weitergeht
consent-return = Sie gelangen zurück zu
consent-allow = Erlauben
consent-deny = Ablehnen
consent-withdraw = Sie können das jederzeit auf Ihrer Kontoseite widerrufen.
consent-policy = Datenschutz
consent-terms = Nutzungsbedingungen

scope-openid = Wissen, wer Sie sind, wenn Sie sich anmelden
scope-profile = Ihren Namen und Benutzernamen sehen
scope-email = Ihre E-Mail-Adresse sehen
scope-offline_access = Den Zugriff behalten, während Sie nicht da sind
scope-read = Ihre Daten lesen
scope-write = Ihre Daten ändern

## Geräte

device-title = Ein Gerät verbinden
device-text = Tippen Sie den Code ein, den Ihr Gerät zeigt.
device-label = Code
device-help = Er sieht aus wie WDJB-MJHT. Kleinbuchstaben, Leerzeichen oder kein Strich sind auch in Ordnung.
device-button = Weiter
device-wrong = Kein Gerät wartet auf diesen Code. Vergleichen Sie ihn mit dem Gerät. Steht dort derselbe, holen Sie sich auf dem Gerät einen neuen.
device-heading = { $client } auf einem Gerät bittet um Zugriff
device-compare = Ihr Gerät muss diesen Code zeigen:
device-warning = Erlauben Sie das nur für ein Gerät, das vor Ihnen steht. Hat Ihnen jemand den Code oder diesen Link geschickt, lehnen Sie ab.
device-allowed-title = Ihr Gerät ist verbunden
device-allowed-text = Sie können zu Ihrem Gerät zurückgehen. { $client } macht dort gleich weiter.
device-denied-title = Der Zugriff wurde abgelehnt
device-denied-text = { $client } hat nichts erhalten. Sie können zu Ihrem Gerät zurückgehen und diese Seite schließen.

## Konto

account-title = Ihr Konto
account-username = Benutzername:
account-sessions = Wo Sie angemeldet sind
account-sessions-help = Wenn Ihnen eine Sitzung fremd ist, beenden Sie sie.
account-current = Dieser Browser
account-started = Angemeldet:
account-seen = zuletzt gesehen:
account-end = Beenden
account-end-named = Sitzung von { $browser } bei { $address } beenden
account-end-others = Überall sonst abmelden
account-applications = Anwendungen mit Zugriff
account-applications-help = Eine Anwendung ohne Zugriff muss Sie neu fragen.
account-applications-none = Keine Anwendung hat Zugriff auf Ihr Konto.
account-since = Erlaubt:
account-withdraw = Widerrufen
account-withdraw-named = Zugriff von { $client } widerrufen
account-done-session_ended = Erledigt. Diese Sitzungen sind abgemeldet.
account-done-consent_withdrawn = Erledigt. Die Anwendung hat keinen Zugriff mehr.
browser-on = { $name } auf { $system }
browser-unknown = Unbekannter Browser

confirm-end_session-title = Diese Sitzung beenden?
confirm-end_session-text = { $browser } bei { $address } wird sofort abgemeldet. Anwendungen behalten den Zugriff, den Sie ihnen gegeben haben.
confirm-end_session-button = Sitzung beenden
confirm-end_other_sessions-title = Überall sonst abmelden?
confirm-end_other_sessions-text =
    { $n ->
        [one] Eine andere Sitzung wird sofort abgemeldet.
       *[other] { $n } andere Sitzungen werden sofort abgemeldet.
    } Dieser Browser bleibt angemeldet. Anwendungen behalten den Zugriff, den Sie ihnen gegeben haben.
confirm-end_other_sessions-button = Die anderen abmelden
confirm-withdraw_consent-title = Zugriff widerrufen?
confirm-withdraw_consent-text = { $client } verliert sofort den Zugriff auf Ihr Konto: Die Anwendung kann Sie nicht mehr anmelden und Ihre Daten nicht mehr verwenden, bis Sie es wieder erlauben.
confirm-withdraw_consent-button = Zugriff widerrufen

logout-title = Abmelden?
logout-asked = { $client } bittet Sie, sich abzumelden.
logout-text = Sie werden in diesem Browser abgemeldet.
logout-stay = Angemeldet bleiben
signed-out-title = Sie sind abgemeldet
signed-out-text = Sie können diese Seite schließen. Schließen Sie an einem gemeinsam genutzten Computer auch den Browser.

## Konten bei Anbietern verbinden

connect-provider = der Anbieter
connect-title = { $provider } verbinden
connect-again-title = { $provider } neu verbinden
connect-for-service = { $service } möchte ein Konto von Ihnen benutzen.
connect-for-nobody = Jemand möchte ein Konto von Ihnen benutzen.
connect-service = Wer fragt
connect-subject = Verbunden wird es für
connect-warning = Machen Sie nur weiter, wenn Sie wissen, wer das ist: Das Konto kann dann so benutzt werden, wie Sie es erlauben.
connect-again-text = Für dieses Konto wird Ihre Zustimmung noch einmal gebraucht. Melden Sie sich mit demselben an.
connect-asks = { $provider } wird Sie fragen, ob Sie erlauben
connect-choose = Sie melden sich bei { $provider } an, nicht hier. Was Sie nicht erlauben wollen, können Sie dort ablehnen.
connect-go = Weiter zu { $provider }
connect-confirm-title = Dieses Konto verbinden?
connect-confirm-text = Sie haben sich bei { $provider } mit diesem Konto angemeldet. Es ist noch nicht verbunden.
connect-confirm-yes = Verbinden
connect-confirm-no = Nicht verbinden
connect-granted = Sie haben erlaubt
connect-refused = Sie haben nicht erlaubt
connect-refused-help = Was das braucht, wird nicht gehen. Sie können es später erlauben: Verbinden Sie dazu das Konto neu.
connect-result-title = Ihr Konto ist verbunden
connect-short = { $provider } hat einen Zugang gegeben, der sich nicht erneuern lässt. Er endet in { $span }; verbinden Sie das Konto dann neu.
connect-close = Sie können diese Seite schließen.

connect-end-retry = Noch einmal versuchen
connect-end-given = Angemeldet haben Sie sich als
connect-end-expected = Verbunden ist
connect-end-missing = Was nicht erlaubt wurde
connect-end-said = Was { $provider } sagt
connect-end-link-gone-title = Dieser Link geht nicht mehr
connect-end-link-gone-what = Er ist abgelaufen, oder er wurde nicht ganz kopiert. Links leben eine Stunde.
connect-end-link-gone-next = Fragen Sie nach einem neuen, wo Sie diesen bekommen haben.
connect-end-link-used-title = Dieser Link wurde benutzt
connect-end-link-used-what = Mit ihm wurde ein Konto verbunden, oder er wurde abgelehnt. Jeder Link gilt für ein Konto.
connect-end-link-used-next = Wenn Sie ein weiteres verbinden wollen, fragen Sie nach einem neuen Link.
connect-end-state-gone-title = Diese Seite ist nicht mehr aktuell
connect-end-state-gone-what = Sie wurde ein zweites Mal geladen, oder Sie haben in einem anderen Tab neu begonnen. Es wurde nichts geändert.
connect-end-state-gone-next = Machen Sie im neuesten Tab weiter, oder öffnen Sie den Link noch einmal.
connect-end-already-done-title = Das Konto ist verbunden
connect-end-already-done-what = Diese Seite wurde ein zweites Mal geladen. Beim ersten Mal wurde alles erledigt.
connect-end-already-done-next = Sie können sie schließen.
connect-end-other-browser-title = Das hat ein anderer Browser begonnen
connect-end-other-browser-what = Die Anmeldung bei { $provider } hat in einem anderen Browser begonnen, oder Cookies sind hier nicht erlaubt. Es wurde nichts verbunden.
connect-end-other-browser-next = Öffnen Sie den Link in diesem Browser und beginnen Sie von vorn. Hat Ihnen jemand diese Adresse geschickt, schließen Sie die Seite.
connect-end-other-person-title = Dieser Link ist für jemand anderen
connect-end-other-person-what = Sie sind hier angemeldet, aber nicht als die Person, deren Konto verbunden werden soll. Es wurde nichts verbunden.
connect-end-other-person-next = Wenn es Ihr Link ist, melden Sie sich als die richtige Person an und öffnen Sie ihn noch einmal. Hat ihn Ihnen jemand geschickt, schließen Sie die Seite.
connect-end-connection-gone-title = Diese Verbindung gibt es nicht mehr
connect-end-connection-gone-what = Das Konto wurde inzwischen getrennt und lässt sich mit diesem Link nicht neu verbinden.
connect-end-connection-gone-next = Verbinden Sie es neu, oder fragen Sie nach einem neuen Link.
connect-end-not-offered-title = Das lässt sich hier nicht verbinden
connect-end-not-offered-what = Wer diesen Server betreibt, bietet es nicht an, oder nicht mehr.
connect-end-not-offered-next = Fragen Sie dort nach, oder bei denen, die Ihnen den Link geschickt haben.
connect-end-denied-title = Es wurde nichts verbunden
connect-end-denied-what = Sie haben Nein gesagt. Niemand hat Zugang zu Ihrem Konto bekommen.
connect-end-denied-next = Das ist in Ordnung. Wenn Sie es sich anders überlegen, versuchen Sie es noch einmal.
connect-end-denied-over = Das ist in Ordnung. Wenn Sie es sich anders überlegen, fragen Sie nach einem neuen Link.
connect-end-provider-title = { $provider } hat abgelehnt
connect-end-provider-what = { $provider } hat Sie nicht weitergelassen. Es wurde nichts verbunden.
connect-end-provider-next = Versuchen Sie es noch einmal. Passiert es wieder, sagen Sie denen, die diesen Server betreiben, was unten steht.
connect-end-code-refused-title = Das hat zu lange gedauert
connect-end-code-refused-what = { $provider } nimmt diese Anmeldung nicht mehr an: Sie ist zu alt oder wurde schon benutzt. Es wurde nichts verbunden.
connect-end-code-refused-next = Versuchen Sie es noch einmal.
connect-end-misconfigured-title = { $provider } kennt diesen Server nicht
connect-end-misconfigured-what = { $provider } lehnt diesen Server ab. Es wurde nichts verbunden. Sie haben nichts falsch gemacht.
connect-end-misconfigured-next = Sagen Sie es denen, die diesen Server betreiben: Client-ID oder Secret bei { $provider } stimmen nicht.
connect-end-away-title = { $provider } antwortet nicht
connect-end-away-what = { $provider } konnte Ihre Anmeldung nicht abschließen. Es wurde nichts verbunden.
connect-end-away-next = Versuchen Sie es in einer Minute noch einmal.
connect-end-untrusted-title = Dieser Antwort ist nicht zu trauen
connect-end-untrusted-what = Was zurückkam, ist nicht das, was { $provider } an diesen Server schickt. Es wurde nichts verbunden.
connect-end-untrusted-next = Versuchen Sie es noch einmal. Passiert es wieder, sagen Sie es denen, die diesen Server betreiben.
connect-end-other-account-title = Das ist ein anderes Konto
connect-end-other-account-what = Sie haben sich bei { $provider } mit einem anderen Konto angemeldet als dem, das verbunden ist. Es wurde nichts geändert.
connect-end-other-account-next = Versuchen Sie es noch einmal mit dem verbundenen Konto. Um das andere zu benutzen, verbinden Sie es als ein weiteres.
connect-end-scopes-missing-title = Etwas Nötiges wurde nicht erlaubt
connect-end-scopes-missing-what = Ohne das nützt die Verbindung nichts. Es wurde nichts verbunden.
connect-end-scopes-missing-next = Versuchen Sie es noch einmal und lassen Sie das Häkchen stehen, wenn Sie das Konto verbinden wollen.

connections-title = Verbindungen
connections-help = Ihre Konten anderswo, zu denen { $operator } Zugang hält, für die Dienste, die ihn brauchen.
connections-none = Sie haben kein Konto verbunden.
connections-active = Geht
connections-trouble = Hat Schwierigkeiten
connections-broken = Muss neu verbunden werden
connections-leaving = Wird getrennt
connections-why-trouble = { $provider } hat den Zugang seit einer Weile nicht erneuert. Es wird von selbst wieder versucht.
connections-why-grant-dead = { $provider } sagt, der Zugang ist zu Ende: Er wurde dort entzogen oder ist abgelaufen.
connections-why-sign-in-again = { $provider } möchte, dass Sie sich neu anmelden.
connections-why-expired = Der Zugang hat das Alter erreicht, in dem { $provider } ihn beendet.
connections-why-no-refresh-token = { $provider } hat einen Zugang gegeben, der sich nicht erneuern ließ, und er ist zu Ende.
connections-why-lost = Eine Antwort von { $provider } ging verloren, und mit ihr der Zugang.
connections-why-operator = Wer diesen Server betreibt, bittet Sie, es neu zu verbinden.
connections-why-disconnecting = Kein Dienst bekommt mehr Zugang. { $provider } hat es noch nicht bestätigt; das wird einen Tag lang versucht.
connections-scopes = Was Sie erlaubt haben
connections-since = Verbunden:
connections-used = zuletzt benutzt:
connections-unused = noch nicht benutzt
connections-again = Neu verbinden
connections-again-named = { $account } bei { $provider } neu verbinden
connections-disconnect = Trennen
connections-disconnect-named = { $account } bei { $provider } trennen
connections-more = Ein Konto verbinden
connections-connect = Verbinden
connections-connect-more = Weiteres verbinden
connections-connect-named = Ein Konto bei { $provider } verbinden
connections-done-disconnected = Das ist erledigt. Das Konto ist getrennt.
connections-done-disconnecting = Das Konto ist hier getrennt. Sein Anbieter ließ sich noch nicht erreichen; das wird von selbst wieder versucht.
account-connections = Ihre Konten anderswo, die Dienste hier benutzen dürfen.
account-connections-open = Zeigen
confirm-disconnect-title = Dieses Konto trennen?
confirm-disconnect-text = Dienste hier verlieren sofort ihren Zugang zu { $account } bei { $provider }: Was sie damit tun, geht nicht mehr. Der Zugang wird auch bei { $provider } entzogen, es sei denn, eine andere Verbindung teilt ihn.
confirm-disconnect-button = Trennen

provider-scope-openid = Wissen, welches Konto es ist
provider-scope-email = Die E-Mail-Adresse sehen
provider-scope-profile = Name und Bild sehen
provider-scope-offline-access = Den Zugang behalten, während Sie weg sind
provider-scope-google-userinfo-email = Die E-Mail-Adresse sehen
provider-scope-google-userinfo-profile = Name und Bild sehen
provider-scope-google-calendar = Alle Kalender sehen, ändern und löschen
provider-scope-google-calendar-readonly = Alle Kalender sehen
provider-scope-google-calendar-events = Termine in allen Kalendern sehen und ändern
provider-scope-google-contacts = Kontakte sehen, ändern und löschen
provider-scope-google-contacts-readonly = Kontakte sehen
provider-scope-google-drive = Alle Dateien in Drive sehen, ändern und löschen
provider-scope-google-drive-file = Die Dateien in Drive sehen und ändern, die Sie damit öffnen
provider-scope-google-drive-readonly = Alle Dateien in Drive sehen
provider-scope-google-gmail-modify = E-Mails lesen, schreiben und senden
provider-scope-google-gmail-readonly = E-Mails lesen
provider-scope-google-gmail-send = E-Mails senden
provider-scope-google-spreadsheets = Alle Tabellen sehen, ändern und löschen
provider-scope-google-spreadsheets-readonly = Alle Tabellen sehen
provider-scope-google-tasks = Aufgaben sehen, ändern und löschen
provider-scope-google-tasks-readonly = Aufgaben sehen
provider-scope-repo = Alle Repositorys sehen und ändern, auch private
provider-scope-read-user = Das Profil sehen
provider-scope-user-email = Die E-Mail-Adressen sehen
provider-scope-gist = Gists schreiben
provider-scope-read-org = Die Organisationen sehen
provider-scope-workflow = Workflows ändern
provider-scope-user-read = Das Profil sehen
provider-scope-mail-read = E-Mails lesen
provider-scope-mail-send = E-Mails senden
provider-scope-calendars-read = Kalender sehen
provider-scope-calendars-readwrite = Kalender sehen und ändern
provider-scope-files-read = Dateien sehen
provider-scope-chat-write = Nachrichten schreiben
provider-scope-channels-read = Die öffentlichen Kanäle sehen
provider-scope-users-read = Die Leute im Workspace sehen

## Sackgassen

error-for-developers = Für die Entwickler der Anwendung
error-request-id = Wenn Sie um Hilfe bitten, nennen Sie
error-wait = In { $wait } geht es wieder.
error-invalid-client-title = Diese Anwendung ist nicht bekannt
error-invalid-client-what = Die Anwendung, die Sie hergeschickt hat, ist hier nicht registriert. Sie hat nichts erhalten.
error-invalid-client-next = Gehen Sie zu ihr zurück und sagen Sie es denen, die sie betreiben.
error-redirect-uri-title = Es gibt keinen sicheren Weg zurück
error-redirect-uri-what = Die Anwendung wollte Sie an eine Adresse schicken, die sie hier nicht registriert hat. Sie hat nichts erhalten.
error-redirect-uri-next = Gehen Sie zu ihr zurück und sagen Sie es denen, die sie betreiben.
error-bad-request-title = Diese Anfrage stimmt nicht
error-bad-request-what = In dem Link oder Formular, das Sie hergebracht hat, fehlt etwas oder ist etwas ungültig.
error-bad-request-next = Beginnen Sie neu in der Anwendung. Wenn es wieder geschieht, sagen Sie es denen, die sie betreiben.
error-spent-title = Dieser Link gilt nicht mehr
error-spent-what = Dieser Link wurde schon benutzt oder ist abgelaufen.
error-spent-next = Beginnen Sie neu in der Anwendung.
error-csrf-title = Dieses Formular gilt nicht mehr
error-csrf-what = Dieses Formular stammt aus einem anderen Tab oder ist abgelaufen. Es wurde nichts geändert.
error-csrf-next = Gehen Sie zurück, laden Sie die Seite neu und versuchen Sie es noch einmal. Cookies müssen für diese Seite erlaubt sein.
error-refused-title = Sie können sich hier nicht anmelden
error-refused-what = Dieses Konto darf hier nicht verwendet werden.
error-refused-next = Wenn es das sollte, fragen Sie die, die diesen Server betreiben.
error-no-account-title = Hier gibt es kein Konto für Sie
error-no-account-what = Die Anmeldeseite kennt Sie, aber auf diesem Server gibt es kein Konto für Sie.
error-no-account-next = Fragen Sie die, die diesen Server betreiben, nach einem.
error-sign-in-refused-title = Sie wurden nicht angemeldet
error-sign-in-refused-what = Die Anmeldeseite hat abgelehnt.
error-sign-in-refused-next = Beginnen Sie neu in der Anwendung, oder fragen Sie die, die diesen Server betreiben.
error-not-found-title = Hier ist nichts
error-not-found-what = Diese Adresse führt zu keiner Seite.
error-not-found-next = Prüfen Sie die Adresse, oder beginnen Sie neu in der Anwendung.
error-too-many-requests-title = Zu viele Anfragen
error-too-many-requests-what = Aus Ihrem Netz kamen in kurzer Zeit mehr Anfragen, als erlaubt sind.
error-too-many-requests-next = Warten Sie eine Minute, dann geht es wieder.
error-internal-title = Hier ist etwas schiefgegangen
error-internal-what = Dieser Server konnte Ihre Anfrage nicht abschließen. An Ihnen lag es nicht.
error-internal-next = Versuchen Sie es noch einmal. Wenn es wieder geschieht, sagen Sie es denen, die diesen Server betreiben.
error-unavailable-title = Gerade nicht verfügbar
error-unavailable-what = Dieser Server kann im Moment nicht antworten. Es ist nichts verloren gegangen.
error-unavailable-next = Versuchen Sie es in einer Minute noch einmal.

## Demo, Übergabe, Startseite

mailbox-title = Postfach
mailbox-text = In der Demo bleiben Mails hier und werden nicht verschickt. Die neueste steht oben.
mailbox-hint = In der Demo wird die Mail nicht verschickt.
mailbox-open = Postfach öffnen
mailbox-refresh = Neu laden
mailbox-back = Zurück zur Anmeldung
mailbox-to = An
mailbox-empty = Noch keine Mail. Fordern Sie auf der Anmeldeseite ein Token an und laden Sie dann neu.
form-post-title = Zurück zu { $client }
form-post-text = Wenn nichts geschieht, benutzen Sie den Knopf.
form-post-button = Weiter
callback-title = Die Antwort
callback-text = In der Demo können Anwendungen, die gerade entstehen, ihre Antworten hierher schicken lassen.
callback-answer = Was zurückkam
callback-error = Was abgelehnt wurde
callback-redeem = Den Code einlösen
callback-redeem-help = Ein Code gilt einmal und eine Minute lang. Hatte die Anfrage eine code_challenge, fügen Sie -d code_verifier= mit dem Text dahinter hinzu.
callback-fragment = Hinter dem #
callback-fragment-help = Diesen Teil behalten Browser für sich; kein Server sieht ihn.
callback-nothing = Es kam nichts zurück. Geben Sie diese Adresse als redirect_uri einer Autorisierungsanfrage an.
callback-noscript = Skripte sind abgeschaltet. Deshalb kann nicht gezeigt werden, was hinter dem # dieser Adresse steht.
home-title = Anmeldeserver
home-text = { $operator } meldet Menschen an und lässt Anwendungen für sie handeln, mit ihrer Zustimmung.
home-account = Ihr Konto
home-device = Ein Gerät verbinden
home-sample = Beispielanwendung ausprobieren
home-issuer = Aussteller
home-discovery = Discovery-Dokument

## Mail

mail-title = Ihr Admin-Token
mail-subject = Ihr Admin-Token für { $operator }
mail-subject-application = Ihr Admin-Token für den Weg zu { $application }
mail-intro = Tippen Sie dieses Token ein, um sich bei { $operator } anzumelden:
mail-intro-application = Tippen Sie dieses Token ein, um sich anzumelden und zu { $application } zu gelangen:
mail-use =
    { $n ->
        [one] Es gilt 1 Minute und nur einmal, in dem Browser, der es angefordert hat.
       *[other] Es gilt { $n } Minuten und nur einmal, in dem Browser, der es angefordert hat.
    }
mail-asked = Angefordert am { $time } von { $address }.
mail-not-you = Wenn Sie das nicht waren, tun Sie nichts: Ohne das Token kommt niemand hinein. Geben Sie es niemandem.

## Zeiten

span-seconds =
    { $n ->
        [one] 1 Sekunde
       *[other] { $n } Sekunden
    }
span-minutes =
    { $n ->
        [one] 1 Minute
       *[other] { $n } Minuten
    }
span-hours =
    { $n ->
        [one] 1 Stunde
       *[other] { $n } Stunden
    }
span-days =
    { $n ->
        [one] 1 Tag
       *[other] { $n } Tage
    }
left-seconds = Noch { $n } Sekunden
left-minutes = Noch { $n } Minuten
left-hours =
    { $n ->
        [one] Noch 1 Stunde
       *[other] Noch { $n } Stunden
    }
left-days =
    { $n ->
        [one] Noch 1 Tag
       *[other] Noch { $n } Tage
    }
ago-now = gerade eben
ago-minutes =
    { $n ->
        [one] vor 1 Minute
       *[other] vor { $n } Minuten
    }
ago-hours =
    { $n ->
        [one] vor 1 Stunde
       *[other] vor { $n } Stunden
    }
ago-days =
    { $n ->
        [one] vor 1 Tag
       *[other] vor { $n } Tagen
    }
date =
    { $day }. { $month ->
        [1] Januar
        [2] Februar
        [3] März
        [4] April
        [5] Mai
        [6] Juni
        [7] Juli
        [8] August
        [9] September
        [10] Oktober
        [11] November
       *[12] Dezember
    } { $year }

# Die Beschreibung der API
docs-title = API-Referenz
docs-version = Version { $version }
docs-contents = Inhalt
docs-authentication = Authentisierung
docs-nobody = Keine.
docs-required = nötig
docs-examples = Beispiele
docs-answers = Antworten
docs-errors = Fehler
docs-redirected = Fehler an der Redirect-URI
docs-status = Status
docs-page = eine Seite
docs-pages = Seiten
docs-pages-text = Sie sind für Menschen am Browser. Programme brauchen sie nicht.
