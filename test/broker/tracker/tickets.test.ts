import fc from 'fast-check';
import * as assert from 'uvu/assert';
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

test('a ticket admits one node at one other node, for five minutes', () => {
	checkTicket(ticket, claims, issuer.key, now);
	checkTicket(ticket, claims, issuer.key, now + TICKET_LIFE);
	refused(() => checkTicket(ticket, claims, issuer.key, now + TICKET_LIFE + 1));
});

test('within a minute a node gets the same ticket for a node again, and each ticket is valid for four minutes', () => {
	const office = new TicketIssuer();
	const first = office.issue(claims, now);
	const other = { ...claims, to: 'eve-00001' };
	assert.is(office.issue(claims, now + TICKET_LIFE / 5), first);
	assert.is.not(office.issue(other, now), first);
	const next = office.issue(claims, now + TICKET_LIFE / 5 + 1);
	assert.is.not(next, first);
	checkTicket(next, claims, office.key, now + TICKET_LIFE);
	const set = office.issue(claims, now - TICKET_LIFE);
	checkTicket(set, claims, office.key, now);
	refused(() => checkTicket(set, claims, office.key, now + 1));
});

test('a ticket is refused from another node, at another node, or with the signature of another tracker', () => {
	refused(() => checkTicket(ticket, { ...claims, from: 'eve-00001' }, issuer.key, now));
	refused(() => checkTicket(ticket, { ...claims, to: 'eve-00001' }, issuer.key, now));
	refused(() => checkTicket(ticket, claims, new TicketIssuer().key, now));
	refused(() => checkTicket(new TicketIssuer().issue(claims, now), claims, issuer.key, now));
});

test('a ticket that is valid for too long is refused', () => {
	refused(() => checkTicket(issuer.issue(claims, now + 60 * TICKET_LIFE), claims, issuer.key, now));
});

test('malformed tickets and changed tickets are refused', () => {
	const [, signature] = ticket.split('.');
	for (const text of ['', '.', ticket.slice(0, -1), `zzzzzzzz.${signature}`, `${ticket}x`, '\0']) {
		refused(() => checkTicket(text, claims, issuer.key, now));
	}
	fc.assert(
		fc.property(fc.string(), (text) => refused(() => checkTicket(text, claims, issuer.key, now))),
	);
});

test('with a malformed key every ticket is refused', () => {
	for (const key of ['', 'A'.repeat(43), 'not a key']) {
		refused(() => checkTicket(ticket, claims, key, now));
	}
});

test.run();
