-- What is searched, and what the columns are sorted by: folded by the application (Dunlin.Folding.FoldedText), so that both databases find
-- and sort alike. search_version is the version of the case that they were computed from; where it is not the case's, they are computed at
-- the next start.
ALTER TABLE warranty_case ADD COLUMN search_text TEXT;
ALTER TABLE warranty_case ADD COLUMN customer_name_sort TEXT;
ALTER TABLE warranty_case ADD COLUMN customer_contact_sort TEXT;
ALTER TABLE warranty_case ADD COLUMN customer_email_sort TEXT;
ALTER TABLE warranty_case ADD COLUMN address_sort TEXT;
ALTER TABLE warranty_case ADD COLUMN invoice_sort TEXT;
ALTER TABLE warranty_case ADD COLUMN staff_sort TEXT;
ALTER TABLE warranty_case ADD COLUMN search_version BIGINT;
