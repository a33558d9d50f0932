-- In a ledger of millions each planned person entered a page of their own of this index, half of what an action cost.
-- Whose actions somebody asks for, finds those that are messages by their messages, and the other kinds are few.
drop index ledger.action_contact;
create index action_contact on ledger.action (contact_id) where kind <> 'message';
