from django.urls import include, path, re_path

from sandbox import components, reviews, shop, views

app_name = "sandbox"
urlpatterns = [
    path("", views.people, name="people"),
    path("phones/", include("sandbox.phones.urls")),
    path("components/", components.components, name="components"),
    path("shop/", shop.front, name="shop"),
    path("shop/who/", shop.log_in, name="shop-log-in"),
    path("shop/strict/", shop.strict, name="shop-strict"),
    path("shop/hostile/", shop.hostile, name="shop-hostile"),
    path("shop/product/<slug:slug>/", shop.product, name="shop-product"),
    path("shop/product/<slug:slug>/review/", reviews.write, name="shop-review"),
    path("shop/reviews/hook/", reviews.hook, name="shop-reviews-hook"),
    re_path(r"^shop/(?P<step>cart|checkout|thanks)/$", shop.step, name="shop-step"),
    path("phones/graph/", include("sandbox.phones.graph_urls")),
    path("mail/<int:pk>/body/", views.body, name="body"),
    path("mail/<int:pk>/source/", views.source, name="source"),
    path("mail/<int:pk>/part/<int:number>/", views.part, name="part"),
    path("<str:address>/", views.mailbox, name="mailbox"),
    path("<str:address>/list/", views.thread_list, name="list"),
    path("<str:address>/new/", views.write, name="write"),
    path("<str:address>/<int:pk>/", views.thread, name="thread"),
    path("<str:address>/<int:pk>/news/", views.thread_news, name="news"),
]
