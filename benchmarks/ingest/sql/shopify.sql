-- What a person would write to read the generated Shopify orders into the columns of purchases, unchecked.
select
    id as order_id,
    coalesce(processed_at, created_at) at time zone 'UTC' as placed_at,
    updated_at at time zone 'UTC' as updated_at,
    fulfillments[1].created_at at time zone 'UTC' as fulfilled_at,
    list_filter(fulfillments, lambda f: f.shipment_status = 'delivered')[1].updated_at at time zone 'UTC' as delivered_at,
    case
        when financial_status = 'refunded' then 'refunded'
        when financial_status = 'voided' or cancelled_at is not null then 'cancelled'
        when financial_status in ('paid', 'partially_paid', 'partially_refunded')
            then case fulfillment_status when 'fulfilled' then 'fulfilled' else 'paid' end
        when financial_status = 'authorized' then 'pending'
        else financial_status
    end as status,
    coalesce(test, false) as is_test,
    customer.id as source_customer_id,
    list_filter(note_attributes, lambda n: n.name in ('segment_anonymous_id', 'anonymous_id'))[1].value as anonymous_id,
    coalesce(email, customer.email) as email,
    coalesce(phone, customer.phone, billing_address.phone, shipping_address.phone) as phone,
    coalesce(billing_address.name, shipping_address.name) as full_name,
    coalesce(customer.first_name, billing_address.first_name) as given_name,
    coalesce(customer.last_name, billing_address.last_name) as family_name,
    coalesce(
        nullif(concat_ws(', ', shipping_address.address1, shipping_address.address2), ''),
        nullif(concat_ws(', ', billing_address.address1, billing_address.address2), '')
    ) as address_line,
    coalesce(shipping_address.city, billing_address.city) as city,
    coalesce(shipping_address.province, billing_address.province) as region,
    coalesce(shipping_address.zip, billing_address.zip) as postcode,
    coalesce(shipping_address.country_code, billing_address.country_code) as country,
    source_name as sales_channel,
    location_id as store_id,
    currency,
    total_price as gross_amount,
    total_discounts as discount_amount,
    total_tax as tax_amount,
    total_shipping_price_set.shop_money.amount as shipping_amount,
    nullif(array_to_string(list_transform(discount_codes, lambda d: d.code), ','), '') as coupon_code,
    json_object('order_name', name) as extra,
    list_transform(
        line_items,
        lambda i: {
            'line_id': i.id, 'product_id': i.product_id, 'product_name': i.title, 'category': i.product_type,
            'quantity': i.quantity, 'unit_amount': i.price
        }
    ) as lines,
    list_transform(
        refunds,
        lambda r: {
            'refund_id': r.id, 'refunded_at': coalesce(r.processed_at, r.created_at) at time zone 'UTC',
            'amount': list_sum(list_transform(r.transactions, lambda t: t.amount))::decimal(18, 4)
        }
    ) as refunds
from read_json(
    $file,
    format = 'array',
    columns = {
        id: 'VARCHAR', name: 'VARCHAR', processed_at: 'TIMESTAMPTZ', created_at: 'TIMESTAMPTZ', updated_at: 'TIMESTAMPTZ',
        cancelled_at: 'VARCHAR', financial_status: 'VARCHAR', fulfillment_status: 'VARCHAR', test: 'BOOLEAN',
        email: 'VARCHAR', phone: 'VARCHAR', source_name: 'VARCHAR', location_id: 'VARCHAR', currency: 'VARCHAR',
        total_price: 'DECIMAL(18,4)', total_discounts: 'DECIMAL(18,4)', total_tax: 'DECIMAL(18,4)',
        total_shipping_price_set: 'STRUCT(shop_money STRUCT(amount DECIMAL(18,4)))',
        customer: 'STRUCT(id VARCHAR, email VARCHAR, phone VARCHAR, first_name VARCHAR, last_name VARCHAR)',
        billing_address: 'STRUCT(
            first_name VARCHAR, last_name VARCHAR, name VARCHAR, address1 VARCHAR, address2 VARCHAR, city VARCHAR,
            province VARCHAR, zip VARCHAR, country_code VARCHAR, phone VARCHAR
        )',
        shipping_address: 'STRUCT(
            first_name VARCHAR, last_name VARCHAR, name VARCHAR, address1 VARCHAR, address2 VARCHAR, city VARCHAR,
            province VARCHAR, zip VARCHAR, country_code VARCHAR, phone VARCHAR
        )',
        note_attributes: 'STRUCT(name VARCHAR, value VARCHAR)[]',
        discount_codes: 'STRUCT(code VARCHAR)[]',
        fulfillments: 'STRUCT(
            status VARCHAR, created_at TIMESTAMPTZ, shipment_status VARCHAR, updated_at TIMESTAMPTZ
        )[]',
        line_items: 'STRUCT(
            id VARCHAR, product_id VARCHAR, title VARCHAR, product_type VARCHAR, quantity DECIMAL(18,4), price DECIMAL(18,4)
        )[]',
        refunds: 'STRUCT(
            id VARCHAR, processed_at TIMESTAMPTZ, created_at TIMESTAMPTZ,
            transactions STRUCT(kind VARCHAR, status VARCHAR, amount DECIMAL(18,4))[]
        )[]'
    }
)
