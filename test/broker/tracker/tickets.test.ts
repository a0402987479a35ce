import fc from 'fast-check';
import { checkTicket, TicketIssuer } from '../../../broker/tracker/tickets.ts';
import { TICKET_LIFE } from '../../../protocol/index.ts';
import { suite } from '../../helpers/harness/suite.ts';
import { throwsCode } from '../../helpers/harness/throws-code.ts';

const test = suite('tickets');
const issuer = new TicketIssuer();
const claims = { from: 'ann-00001', to: 'bob-00001' };
const now = Date.UTC(2026, 0, 1);
const ticket = issuer.issue(claims, now);
const refused = (work: () => void): void => void throwsCode('ERR_REFUSED', work);

test('a ticket lets the node it is for in at the node it is for, for five minutes', () => {
	checkTicket(ticket, claims, issuer.key, now);
	checkTicket(ticket, claims, issuer.key, now + TICKET_LIFE);
	refused(() => checkTicket(ticket, claims, issuer.key, now + TICKET_LIFE + 1));
});

test('it is of no use to another, at another, or with the signature of another tracker', () => {
	refused(() => checkTicket(ticket, { ...claims, from: 'eve-00001' }, issuer.key, now));
	refused(() => checkTicket(ticket, { ...claims, to: 'eve-00001' }, issuer.key, now));
	refused(() => checkTicket(ticket, claims, new TicketIssuer().key, now));
	refused(() => checkTicket(new TicketIssuer().issue(claims, now), claims, issuer.key, now));
});

test('one with a longer life than any has is refused', () => {
	refused(() => checkTicket(issuer.issue(claims, now + 60 * TICKET_LIFE), claims, issuer.key, now));
});

test('whatever is no ticket is refused, and so is every one with a change', () => {
	const [, signature] = ticket.split('.');
	for (const text of ['', '.', ticket.slice(0, -1), `zzzzzzzz.${signature}`, `${ticket}x`, '\0']) {
		refused(() => checkTicket(text, claims, issuer.key, now));
	}
	fc.assert(
		fc.property(fc.string(), (text) => refused(() => checkTicket(text, claims, issuer.key, now))),
	);
});

test('a key that is none lets nobody in', () => {
	for (const key of ['', 'A'.repeat(43), 'not a key']) {
		refused(() => checkTicket(ticket, claims, key, now));
	}
});

test.run();
